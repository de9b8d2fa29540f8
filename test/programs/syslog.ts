// A program: takes syslog datagrams on UDP port argv[2], and writes them to the file argv[3] as a syslog daemon does:
// without their priority.
import { createSocket } from 'node:dgram';
import { appendFileSync } from 'node:fs';

const file = process.argv[3]!;
createSocket('udp4')
  .on('message', (datagram) => {
    appendFileSync(file, `${datagram.toString('latin1').replace(/^<\d+>/, '')}\n`, 'latin1');
  })
  .bind(Number(process.argv[2]), '127.0.0.1');
