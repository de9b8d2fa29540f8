"""Reports to Bailiff from Python (3.8 or newer). Copy this file into your application; it needs no package.

    from bailiff_report import Reporter
    bailiff = Reporter("app-reports")
    bailiff.failure(request.remote_addr, user=name)    # also: abuse(...), success(...)

The calls return at once and never raise. A thread sends the reports in batches, and again under the same id while there is no
answer. What can't be sent is dropped in the end: the application goes on as if Bailiff were not there.
"""
import atexit
import http.client
import json
import os
import queue
import socket
import threading
import time
import uuid

BATCH = 200


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("bailiff", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Reporter:
    """limit: reports that wait at most; tries: for a batch; timeout and delay in seconds; on_drop(reports, why): each a JSON text."""

    def __init__(self, jail, path="/run/bailiff/report.sock", timeout=1.0, delay=0.1, limit=5000, tries=5, on_drop=None):
        self._jail, self._path, self._timeout, self._delay, self._tries = jail, path, timeout, delay, tries
        self._limit, self._on_drop = limit, on_drop or (lambda reports, why: None)
        self._start()
        atexit.register(self.flush, 2.0)
        # A server that forks its workers leaves the thread behind: each worker starts its own.
        os.register_at_fork(after_in_child=self._start)

    def _start(self):
        self._waiting = queue.Queue(self._limit)
        threading.Thread(target=self._run, daemon=True).start()

    def failure(self, address, **fields):
        self._report("failure", address, fields)

    def success(self, address, **fields):
        self._report("success", address, fields)

    def abuse(self, address, **fields):
        self._report("abuse", address, fields)

    def flush(self, patience=5.0):
        """Waits until all that was reported is answered or dropped, or the patience (seconds) is at its end."""
        deadline = time.monotonic() + patience
        while self._waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._waiting.unfinished_tasks

    def _report(self, outcome, address, fields):
        report = {"jail": self._jail, "address": str(address), "outcome": outcome,
                  "at": int(time.time() * 1000), "id": str(uuid.uuid4())}
        try:
            # default=str: what is no JSON is sent as text.
            text = json.dumps({**report, "fields": fields}, default=str, allow_nan=False)
        except Exception:
            text = json.dumps(report)  # it counts without its fields
        try:
            self._waiting.put_nowait(text)
        except queue.Full as error:
            self._drop([text], error)

    def _run(self):
        while True:
            reports = [self._waiting.get()]
            time.sleep(self._delay)
            while len(reports) < BATCH and not self._waiting.empty():
                reports.append(self._waiting.get())
            try:
                self._send(reports)
            except Exception as error:  # whatever it is, the thread lives on
                self._drop(reports, error)
            for _ in reports:
                self._waiting.task_done()

    def _send(self, reports):
        body = ('{"reports":[' + ",".join(reports) + "]}").encode()
        for attempt in range(1, self._tries + 1):
            try:
                connection = _Connection(self._path, self._timeout)
                try:
                    connection.request("POST", "/v1/reports", body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    text = response.read()
                finally:
                    connection.close()
                if response.status == 200:
                    answers = json.loads(text)
                    refused = [r for r, a in zip(reports, answers) if a["outcome"] == "refused"]
                    if refused:
                        self._drop(refused, text)
                    return
                # What the daemon calls wrong is wrong the next time, too.
                if response.status < 500 or attempt == self._tries:
                    return self._drop(reports, text)
            except (OSError, http.client.HTTPException, ValueError) as error:
                if attempt == self._tries:
                    return self._drop(reports, error)
            time.sleep(self._delay * 2**attempt)

    def _drop(self, reports, why):
        try:
            self._on_drop(reports, why)
        except Exception:  # whoever listens must not break the application either
            pass
