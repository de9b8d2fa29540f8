// The log of an application in JSON lines, as pino writes it: requests, and every fiftieth a refused log-in.
import { counted, either } from '../lib/addresses.ts';
import type { Maker } from '../lib/inputs.ts';
import { randomFrom } from '../lib/random.ts';
import { reckon, type Verdict } from '../lib/verdicts.ts';
import { FIND_TIME, MAX_RETRY } from './rules.ts';

const PER_SECOND = 20;
const BEGIN = Date.UTC(2026, 0, 5);
const URLS = ['/', '/api/items', '/api/cart', '/static/app.js', '/account', '/search?q=shoes'];

/** What ripgrep looks for: one literal that just the refused log-ins hold. */
export const JSON_LITERAL = '"msg":"login failed"';

export function jsonLog(): Maker<Verdict> {
  return (lines, write) => {
    const random = randomFrom(4_711);
    const jail = reckon(MAX_RETRY, FIND_TIME);
    const attackers = Math.max(4, Math.floor(lines / 1_000));
    let once = 10_000_000;
    for (let n = 0; n < lines; n++) {
      const at = BEGIN + Math.floor((n * 1_000) / PER_SECOND);
      const isFailed = n % 50 === 0;
      const isMistyped = n % 500 === 0;
      const attacker = either(Math.floor((n * attackers) / lines));
      const address = !isFailed ? either(1_000_000 + random(20_000)) : isMistyped ? either(once++) : attacker;
      const ports = `"remoteAddress":"${address}","remotePort":${1_024 + random(60_000)}`;
      const head = `{"level":${isFailed ? 40 : 30},"time":${at},"pid":812,"hostname":"web"`;
      if (isFailed) {
        jail.match(counted(address), at / 1_000);
        write(
          `${head},"req":{"id":${n},"method":"POST","url":"/login",${ports}},"user":"ann","msg":"login failed"}`,
        );
        continue;
      }
      const url = URLS[random(URLS.length)]!;
      write(
        `${head},"req":{"id":${n},"method":"GET","url":"${url}",${ports}},"res":{"statusCode":200},"responseTime":${random(300)},"msg":"request completed"}`,
      );
    }
    return jail.verdict();
  };
}
