// The two ends of a wire: packets with numbers, so that the first one that is dropped is known. This file is the program of both.
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Client, Host } from '../../test/support/namespaces.ts';
import { eventually } from '../../test/support/run.ts';
import { now } from './kernel.ts';

const PORT = 9_000;
/** Milliseconds between two packets: what is measured is accurate to so much. */
export const BETWEEN = 1;

export interface Wire {
  /** When the last packet that arrived was sent. */
  lastSent(): number;
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
  const flowing = async (): Promise<void> => {
    const before = now();
    await eventually('packets come', () => sent > before);
  };
  return {
    lastSent: () => sent,
    flowing,
    silence: (ms) => eventually('packets stop', () => now() - arrived > ms, 30_000).then(() => {}),
    end() {
      for (const child of [sender, receiver]) child.kill('SIGKILL');
    },
  };
}

function send(to: string): void {
  const socket = createSocket('udp4');
  setInterval(() => socket.send(String(now()), PORT, to), BETWEEN);
}

function receive(): void {
  const socket = createSocket('udp4');
  socket.on('message', (message) => console.log(message.toString('latin1')));
  socket.bind(PORT, () => console.log(0));
}

const [, file, role, to] = process.argv;
if (file === fileURLToPath(import.meta.url)) {
  if (role === 'send') send(to!);
  else receive();
}
