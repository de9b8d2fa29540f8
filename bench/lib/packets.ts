// The two ends of a wire: packets with numbers, so that the first one that is dropped is known. This file is the program of both.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Client, Host } from '../../test/support/namespaces.ts';
import { eventually } from '../../test/support/run.ts';
import { now } from './kernel.ts';

const PORT = 9_000;
/** Milliseconds between two packets at least: what is measured is accurate to so much, and to what the system makes of it. */
export const BETWEEN = 0.5;
/** Milliseconds between two reports of the receiver: each packet's own would be a load that the measured path has to bear. */
const REPORTING = 20;
/** Sendings that are remembered. */
const REMEMBERED = 1 << 14;

export interface Wire {
  /** When the first packet was sent that did not arrive, of those after the last that did. */
  firstDropped(): Promise<number>;
  /** Waits until none has arrived for `ms`. */
  silence(ms: number): Promise<void>;
  /** Waits until they arrive again. */
  flowing(): Promise<void>;
  end(): void;
}

/** Has `from` send to `to` without end. */
export async function startWire(from: Client, to: Host): Promise<Wire> {
  const self = fileURLToPath(import.meta.url);
  let [sent, arrived, isListening] = [0, 0, false];
  const receiver = to.spawn(process.execPath, [self, 'receive']);
  createInterface({ input: receiver.stdout! }).on('line', (line) => {
    isListening = true;
    const at = Number(line);
    if (at > 0) [sent, arrived] = [at, now()];
  });
  await eventually('the receiver listens', () => isListening);
  const sender = from.spawn(process.execPath, [self, 'send', to.ipv4]);
  const answers = createInterface({ input: sender.stdout! });
  const flowing = async (): Promise<void> => {
    const before = now();
    await eventually('packets come', () => sent > before);
  };
  return {
    async firstDropped() {
      const answered = once(answers, 'line');
      sender.stdin!.write(`${sent}\n`);
      return Number((await answered)[0]);
    },
    flowing,
    silence: (ms) => eventually('packets stop', () => now() - arrived > ms, 30_000).then(() => {}),
    end() {
      for (const child of [sender, receiver]) child.kill('SIGKILL');
    },
  };
}

function send(to: string): void {
  const socket = createSocket('udp4');
  const times = new Float64Array(REMEMBERED);
  const beat = new Int32Array(new SharedArrayBuffer(4));
  let count = 0;
  const next = (): void => {
    // Timers come once a millisecond at most.
    Atomics.wait(beat, 0, 0, BETWEEN);
    const at = (times[count++ % REMEMBERED] = now());
    socket.send(String(at));
    setImmediate(next);
  };
  socket.connect(PORT, to, next);
  /** Asked with the time of a sending, tells that of the next one. */
  createInterface({ input: process.stdin }).on('line', (line) => {
    const after = times.filter((at) => at > Number(line));
    console.log(after.reduce((least, at) => Math.min(least, at), Infinity));
  });
}

function receive(): void {
  const socket = createSocket('udp4');
  let [last, told] = ['0', ''];
  socket.on('message', (message) => void (last = message.toString('latin1')));
  const report = (): void => {
    if (last !== told) console.log((told = last));
  };
  socket.bind(PORT, () => setInterval(report, REPORTING));
}

const [, file, role, to] = process.argv;
if (file === fileURLToPath(import.meta.url)) {
  if (role === 'send') send(to!);
  else receive();
}
