// A program: the least in Node that has the kernel drop whoever fails to log in. It hears that the log has grown, reads what is
// new, looks for one regex, and writes a command to a running `nft -i`. No config, no filters, no counting, no ledger, no rule that
// asks the set; and a crafted line could have anybody banned. So it is what every program in Node takes at least from a line to the kernel.
// `node bench/bare-watch.ts LOG NFT` says "ready" and goes on until it is ended.
import { spawn } from 'node:child_process';
import { openSync, readSync, watch } from 'node:fs';

const [log, nft] = process.argv.slice(2) as [string, string];
const FAILED = /^(\S+) .* 401 /gm;

const child = spawn(nft, ['-i'], {
  stdio: ['pipe', 'ignore', 'inherit'],
  env: { HOME: '/nonexistent' },
});
child.stdin.write('add table ip bare\nadd set ip bare banned { type ipv4_addr; flags timeout; }\n');
const fd = openSync(log, 'r');
const buffer = Buffer.alloc(1 << 16);
let at = 0;

const wholeLines = (): string => {
  const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, at));
  return text.slice(0, text.lastIndexOf('\n') + 1);
};

watch(log, () => {
  for (let text: string; (text = wholeLines()) !== ''; at += text.length) {
    const elements = Array.from(text.matchAll(FAILED), ([, address]) => `${address} timeout 1h`).join(', ');
    if (elements) child.stdin.write(`add element ip bare banned { ${elements} }\n`);
  }
});
console.log('ready');
