// A program: opens one TCP connection to argv[2], port 80, and sends a request for each line of standard input
// ({ path, patience }). It answers each with a line. Started in a client's namespace by http.ts.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const socket = connect(80, process.argv[2]);
socket.setEncoding('latin1');
let received = '';
let wake = () => {};
let over = false;
socket.on('data', (text: string) => {
  received += text;
  wake();
});
for (const event of ['error', 'close']) {
  socket.on(event, () => {
    over = true;
    wake();
  });
}
socket.on('connect', () => console.log('"connected"'));

for await (const line of createInterface({ input: process.stdin })) {
  const { path, patience } = JSON.parse(line) as { path: string; patience: number };
  received = '';
  socket.write(`GET ${path} HTTP/1.1\r\nHost: server\r\n\r\n`);
  console.log(JSON.stringify(await answerWithin(patience)));
}

/** Whatever comes wakes it at once; only that nothing comes has to be waited for. */
async function answerWithin(patience: number): Promise<object> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = parse(received);
    if (answer) return answer;
    if (over) return { outcome: 'refused' };
    const left = deadline - performance.now();
    if (left <= 0) return { outcome: 'silence' };
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A whole answer with a Content-Length, or undefined while some of it is still on its way. */
function parse(text: string): object | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
  const body = text.slice(end + 4);
  if (body.length < length) return undefined;
  return { outcome: 'answered', status: Number(text.slice(9, 12)), body: body.slice(0, length) };
}
