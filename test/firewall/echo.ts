// A program: says back what it is told, on TCP ports 22 and 80 and UDP port 53, IPv4 and IPv6. Runs in the server's namespace.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

for (const port of [22, 80]) {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await once(server.listen(port, '::'), 'listening');
}
const udp = createSocket('udp6');
udp.on('message', (message, from) => udp.send(message, from.port, from.address, () => {}));
udp.bind(53, '::');
await once(udp, 'listening');
console.log('"ready"');
