// The test network with an echo server in it and a probe in every namespace.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createInternet, type Host } from '../support/namespaces.ts';

export interface Question {
  readonly protocol?: 'tcp' | 'udp';
  readonly to: string;
  readonly port: number;
  /** The sender's address, where it has several. */
  readonly from?: string;
  /** TCP: asks over the connection of this name; it is opened by the first question. */
  readonly keep?: string;
  /** UDP: bytes in the message. */
  readonly size?: number;
  readonly patience: number;
}

/** To the server's port 80 over TCP and IPv4, unless said otherwise. */
type Asked = Partial<Question> & { readonly family?: 4 | 6 };

export interface Prober<H extends Host = Host> {
  readonly host: H;
  /** Is there an answer? Waits long enough for a neighbour that has to be looked for again after a ban. */
  reaches(asked?: Asked): Promise<boolean>;
  /** Is there no answer for as long as {@link SILENCE}? */
  isShutOut(asked?: Asked): Promise<boolean>;
}

export interface Network {
  readonly server: Prober;
  readonly attacker: Prober<Client>;
  readonly bystander: Prober<Client>;
  remove(): Promise<void>;
}

/** Milliseconds without an answer that count as none: one takes less than a millisecond. */
const SILENCE = 250;
const PATIENCE = 10_000;

export async function createNetwork(): Promise<Network> {
  const { server, clients, remove } = await createInternet('attacker', 'bystander');
  const children: ChildProcess[] = [];

  async function start(
    host: Host,
    name: string,
  ): Promise<{ child: ChildProcess; answers: AsyncIterator<string> }> {
    const child = host.spawn(process.execPath, [fileURLToPath(new URL(name, import.meta.url))]);
    children.push(child);
    const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await answers.next();
    if (first.done) throw new Error(`${name} ended before it was ready`);
    return { child, answers };
  }

  async function probe<H extends Host>(host: H): Promise<Prober<H>> {
    const { child, answers } = await start(host, './probe.ts');
    async function ask(patience: number, { family = 4, ...asked }: Asked): Promise<boolean> {
      const to = family === 4 ? server.ipv4 : server.ipv6;
      const question: Question = { to, port: 80, patience, ...asked };
      child.stdin!.write(`${JSON.stringify(question)}\n`);
      const answer = await answers.next();
      if (answer.done) throw new Error('the probe ended');
      return JSON.parse(answer.value) as boolean;
    }
    return {
      host,
      reaches: (asked = {}) => ask(PATIENCE, asked),
      isShutOut: async (asked = {}) => !(await ask(SILENCE, asked)),
    };
  }

  await start(server, './echo.ts');
  return {
    server: await probe(server),
    attacker: await probe(clients.attacker),
    bystander: await probe(clients.bystander),
    async remove() {
      for (const child of children) child.kill('SIGKILL');
      await remove();
    },
  };
}
