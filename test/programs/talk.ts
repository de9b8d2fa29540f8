// A program: opens one TCP connection to argv[2], port argv[3], and speaks by the script on standard input, a list of
// [what to wait for, what to say then]. Prints all that it was told. Started in a client's namespace by stage.ts.
import { connect } from 'node:net';

const steps = JSON.parse(await read(process.stdin)) as [string, string][];
const socket = connect(Number(process.argv[3]), process.argv[2]);
socket.setEncoding('latin1');
let told = '';
let place = 0;

socket.on('connect', speak);
socket.on('data', (text: string) => {
  told += text;
  speak();
});
// A service that cuts the connection has said its last word.
socket.on('error', () => {});
socket.on('close', () => finish(steps.length === 0 ? 0 : 1));
// Against hanging only: the dialogue goes on by what the service says.
setTimeout(() => finish(1), 50_000).unref();

function speak(): void {
  for (let step = steps[0]; step !== undefined; step = steps[0]) {
    const found = told.indexOf(step[0], place);
    if (found < 0) return;
    place = found + step[0].length;
    steps.shift();
    if (step[1] !== '') socket.write(Buffer.from(step[1], 'latin1'));
  }
  socket.end();
}

function finish(code: number): void {
  process.stdout.write(Buffer.from(told, 'latin1'));
  if (code !== 0)
    console.error(`waited in vain for ${JSON.stringify(steps[0]?.[0])}, was told ${JSON.stringify(told)}`);
  process.exitCode = code;
  socket.destroy();
}

async function read(stream: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const part of stream.setEncoding('utf8')) text += part;
  return text;
}
