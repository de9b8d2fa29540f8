// A program: what becomes of so many messages to the echo server: `answered`, `refused` and `silent`, how many of each.
// Arguments: tcp or udp, address, port, how many, and the address to send from where there are several.
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';

type Outcome = 'answered' | 'refused' | 'silent';

/** Milliseconds without an answer that count as none: that none comes is no event. */
const SILENCE = 400;
const [protocol, to, port, many, from] = process.argv.slice(2) as [string, string, string, string, string?];

const outcomes = await Promise.all(
  Array.from({ length: Number(many) }, protocol === 'udp' ? overUdp : overTcp),
);
const count = (outcome: Outcome): number => outcomes.filter((each) => each === outcome).length;
console.log(
  JSON.stringify({ answered: count('answered'), refused: count('refused'), silent: count('silent') }),
);
process.exit();

function overTcp(): Promise<Outcome> {
  const socket = connect({
    host: to,
    port: Number(port),
    ...(from === undefined ? {} : { localAddress: from }),
  });
  return settled((done) => {
    socket.on('data', () => done('answered'));
    socket.on('error', () => done('refused'));
    socket.write('x');
  });
}

function overUdp(): Promise<Outcome> {
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4');
  return settled((done) => {
    socket.on('message', () => done('answered'));
    socket.on('error', () => done('refused'));
    // Connected, so that it hears of ICMP errors.
    socket.bind(0, from, () => socket.connect(Number(port), to, () => socket.send('x')));
  });
}

function settled(ask: (done: (outcome: Outcome) => void) => void): Promise<Outcome> {
  return new Promise((resolve) => {
    // An answer or a refusal comes first; a packet that was dropped is announced by nothing but time.
    setTimeout(() => resolve('silent'), SILENCE);
    ask(resolve);
  });
}
