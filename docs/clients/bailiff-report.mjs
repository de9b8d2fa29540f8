// Reports to Bailiff from Node (18 or newer). Copy this file into your application; it needs no package.
//
//   import { createReporter } from './bailiff-report.mjs';
//   const bailiff = createReporter({ jail: 'app-reports' });
//   bailiff.failure(request.ip, { user });   // also: abuse(…), success(…)
//
// The calls return at once and never throw. Reports are sent in batches, and again under the same id while there is no answer.
// What can't be sent is dropped in the end: the application goes on as if Bailiff were not there.
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';

const BATCH = 200;

/**
 * @param options `jail`; `socket` (/run/bailiff/report.sock), `timeout` of a request in milliseconds (1000), `delay` in
 *   which reports gather (100), `limit` of reports that wait (5000; the oldest go first), `tries` for a batch (5), `onDrop`,
 *   called with what was dropped and why.
 */
export function createReporter({
  jail,
  socket = '/run/bailiff/report.sock',
  timeout = 1_000,
  delay = 100,
  limit = 5_000,
  tries = 5,
  onDrop = () => {},
}) {
  const waiting = [];
  let sending;
  let timer;

  function report(outcome, address, fields) {
    const said = { jail, address: `${address ?? ''}`, outcome, at: Date.now(), id: randomUUID() };
    waiting.push({ ...said, ...readable(fields) });
    if (waiting.length > limit) drop(waiting.splice(0, waiting.length - limit), new Error('too many wait'));
    // unref: a report that waits keeps no process alive. Call flush() before you end it.
    timer ??= setTimeout(() => void flush(), delay).unref();
  }

  /** What is no JSON is left out: the report counts without it. */
  function readable(fields) {
    try {
      JSON.stringify(fields);
      return { fields };
    } catch {
      return {};
    }
  }

  /** Sends what waits. Resolves when all of it is answered or dropped; never rejects. */
  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => (sending = undefined));
    await sending;
  }

  async function sendAll() {
    while (waiting.length > 0) await send(waiting.splice(0, BATCH));
  }

  async function send(reports) {
    for (let attempt = 1; ; attempt++) {
      try {
        const answers = await post(JSON.stringify({ reports }));
        const isRefused = (answer) => answer?.outcome === 'refused';
        const refused = reports.filter((_, index) => isRefused(answers[index]));
        if (refused.length > 0) drop(refused, new Error(answers.find(isRefused).why));
        return;
      } catch (error) {
        // What the daemon calls wrong is wrong the next time, too.
        if (attempt >= tries || (error.status >= 400 && error.status < 500)) return drop(reports, error);
        await new Promise((resolve) => setTimeout(resolve, delay * 2 ** attempt));
      }
    }
  }

  function post(body) {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const call = request({
        socketPath: socket,
        method: 'POST',
        path: '/v1/reports',
        headers,
        agent: false,
      });
      // From the first byte to the last: a daemon that answers a byte a second is no better than a silent one.
      const deadline = setTimeout(() => call.destroy(new Error('no answer in time')), timeout);
      call.on('close', () => clearTimeout(deadline)).on('error', reject);
      call.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('error', reject).on('end', () => {
          const { statusCode: status } = response;
          if (status === 200) resolve(JSON.parse(text));
          else reject(Object.assign(new Error(`status ${status}: ${text}`), { status }));
        });
      });
      call.end(body);
    });
  }

  function drop(reports, why) {
    try {
      onDrop(reports, why);
    } catch {
      // Whoever listens must not break the application either.
    }
  }

  return {
    failure: (address, fields) => report('failure', address, fields),
    success: (address, fields) => report('success', address, fields),
    abuse: (address, fields) => report('abuse', address, fields),
    flush,
  };
}
