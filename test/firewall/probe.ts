// A program: for each line of standard input it sends something to the echo server, and answers `true` when it comes
// back, `false` when nothing does within `patience`. Runs in a namespace for as long as its standard input is open.
import { createSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Question } from './network.ts';

const kept = new Map<string, Socket>();

console.log('"ready"');
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as Question;
  console.log(
    JSON.stringify(question.protocol === 'udp' ? await overUdp(question) : await overTcp(question)),
  );
}
process.exit();

// That no answer comes is no event: silence is what lasts for `patience`. An answer ends the wait at once.
function overTcp({ to, port, from, keep, patience }: Question): Promise<boolean> {
  const old = keep === undefined ? undefined : kept.get(keep);
  const socket = old ?? connect({ host: to, port, ...(from === undefined ? {} : { localAddress: from }) });
  if (keep !== undefined) kept.set(keep, socket);
  return new Promise((resolve) => {
    // An answer ends it at once; a packet that was dropped is announced by nothing but time.
    const timer = setTimeout(() => done(false), patience);
    const done = (isAnswered: boolean): void => {
      clearTimeout(timer);
      socket.off('data', answered);
      if (keep === undefined) socket.destroy();
      resolve(isAnswered);
    };
    const answered = (): void => done(true);
    socket.on('data', answered);
    if (!old) socket.on('error', () => {});
    socket.once('close', () => done(false));
    socket.write('x');
  });
}

function overUdp({ to, port, from, size, patience }: Question): Promise<boolean> {
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    // As above: silence is announced by nothing but time.
    const timer = setTimeout(() => done(false), patience);
    // What was sent while a neighbour was being looked for may be lost.
    const again = setInterval(() => send(), 500);
    const send = (): void => socket.send(Buffer.alloc(size ?? 1), port, to, () => {});
    const done = (isAnswered: boolean): void => {
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(isAnswered);
    };
    socket.on('message', () => done(true));
    socket.on('error', () => done(false));
    socket.bind(0, from, send);
  });
}
