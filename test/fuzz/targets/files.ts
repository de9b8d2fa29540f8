// What administrators write: filters in YAML, jails.json, lists. Not hostile, but anything may stand there after a slip.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONFIG_CODES, loadConfig, readAllowFile, readJailNames } from '../../../src/config/index.ts';
import type { Fault } from '../../../src/errors.ts';
import { compileFilter, parseFilter } from '../../../src/filters/index.ts';
import { SHIPPED } from '../../filters/shipped.ts';
import { holds, type Target } from '../target.ts';

const FILTERS = new Set(SHIPPED);
const CODES: ReadonlySet<string> = new Set(Object.keys(CONFIG_CODES));

function checkFaults(faults: readonly Fault[], known: (code: string) => boolean): void {
  for (const { code, line, column, message } of faults) {
    holds(known(code), 'an unknown code', code);
    holds(line >= 0 && column >= 0 && message !== '', 'a fault without a place', line, column, message);
  }
}

export function yamlTarget(): Target {
  return {
    name: 'yaml',
    holds: 'any text is a filter or has faults with places; a filter compiles or has faults',
    seeds: [
      "service: a\nlayout: syslog\nprogram: [sshd, 'x*']\nmatch:\n  - '^no <user> from <ip>$'\n  - { regex: '^x <ip>', counts: 0, mode: aggressive }\nsuccess: ['^ok <user> from <ip>$']\nprotects: host\nexcept: ['^no y']\nlimits: [{ field: user, why: it does }]\nsamples:\n  - line: 'Jan  5 10:11:12 web sshd[812]: no x from 192.0.2.7'\n    yields: { ip: 192.0.2.7 }\n",
      "service: a\nlayout: access\nwhere: { method: POST, path: ['/login'], status: [401, '4*'] }\nmatch:\n  - where: { path: { prefix: /x } }\n    counts: 0\n",
      "service: a\nlayout: json\naddress: [ip, req.ip]\ntime: [t]\nsession: [id]\nwhere: { msg: { contains: x }, n: { in: [1], present: true } }\nsuccess:\n  - where: { ok: true }\nexcept: { a: { regex: '^b$' } }\n",
      "service: a\nlayout: logfmt\naddress: ip\nwhere: { level: error, a: { glob: 'x*' }, b: { suffix: y } }\n",
      "service: a\nlayout: plain\nopens: ['^s <F-ID> <ip>$']\ncloses: ['^e <F-ID>$']\nmatch: [{ regex: '^f <F-ID>$', counts: session }]\nforged:\n  - line: x\n    yields: none\n",
    ],
    words: [
      '\n  - ',
      ': ',
      '{ regex: ',
      'counts: session',
      'mode: aggressive',
      '&a ',
      '*a',
      '!!js/regexp ',
      '<<: ',
      '---\n',
      '%YAML 1.1\n',
      '? ',
      '| \n',
      '"',
      'layout: json\n',
      'where: { path: ',
      'samples:\n',
      'yields: none',
      '[',
      '{',
    ],
    longest: 1_500,
    stepsPerByte: 20_000,
    share: 0.3,
    run(input) {
      const written = Buffer.from(input, 'latin1').toString('utf8');
      const { definition, faults } = parseFilter(written, 'filters/fuzz.yaml');
      holds((definition === undefined) === faults.length > 0, 'neither a filter nor a fault');
      checkFaults(faults, (code) => /^E_FILTER_[A-Z_]+$/.test(code));
      if (!definition) return;
      const options = {
        logFormat: undefined,
        zone: 'UTC',
        mode: 'normal',
        where: undefined,
        except: undefined,
      } as const;
      const compiled = compileFilter(definition, options);
      if (!compiled.ok) checkFaults(compiled.faults, (code) => /^E_FILTER_[A-Z_]+$/.test(code));
    },
  };
}

export function configTarget(): Target {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-fuzz-'));
  const file = join(folder, 'jails.json');
  return {
    name: 'config',
    holds: 'any bytes are a config or have faults with known codes and places',
    seeds: [
      '{"defaults":{"maxRetry":5,"banTime":{"first":"10m","factor":4,"max":"1w"}},"allow":["192.0.2.1","127.0.0.1/8","a.example.net","file:/x"],"jails":{"s":{"filter":"sshd","logs":["/var/log/*.log"],"ports":[22],"limit":"100/1m","zone":"UTC"}}}',
      '{"trustedProxies":["10.0.0.0/8"],"history":{},"jails":{"a":{"filter":"nginx-login","logs":["/a/*.log"],"start":"end","ignore":["2001:db8::/32"],"ipv6Prefix":64,"mode":"aggressive","dryRun":true,"resetOnSuccess":true,"logFormat":"combined","except":{"path":["/x"]},"brake":"300/1m","protocol":"tcp","sources":"all"},"recidive":{"maxRetry":3},"r":{"reports":true,"banTime":{"steps":["1m","1h"],"scope":"all","forget":"30d"}}}}',
      '// comment\n{"jails":{"a":{"filter":["sshd"],"journal":["_SYSTEMD_UNIT=x"],"where":{"status":[401]},}}}',
    ],
    words: [
      '"jails":{',
      '"filter":"sshd"',
      '"logs":["/a"]',
      '"banTime":',
      '"steps":["1m"]',
      '"allow":[',
      '"where":{"path":{"regex":"',
      '"maxRetry":',
      'null',
      '[[',
      '{{',
      '/*',
      '//',
      '"zone":"',
      '"brake":',
      '"ports":[',
      '"journal":["',
    ],
    longest: 2_048,
    stepsPerByte: 4_000,
    share: 0.4,
    run(input) {
      writeFileSync(file, input, 'latin1');
      readJailNames(file);
      const { config, faults, warnings } = loadConfig(file, { filters: FILTERS });
      holds((config === undefined) === faults.length > 0, 'neither a config nor a fault');
      checkFaults([...faults, ...warnings], (code) => CODES.has(code));
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function listsTarget(): Target {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-fuzz-'));
  const file = join(folder, 'allow.txt');
  return {
    name: 'lists',
    holds: 'any bytes in a list: the entries that make sense, and a fault for each that does not',
    seeds: [
      '192.0.2.1\n2001:db8::/32 # office\noffice.example.net\n\nfile:/x\nself\n127.0.0.1/8\n',
      '\xff\xfe1\0',
      '192.0.2.1\r\n',
    ],
    words: ['\n', ' # ', '0.0.0.0/0', '::/0', 'a.b', '.', 'file:', 'self', '\xef\xbb\xbf'],
    longest: 1_024,
    share: 0.6,
    run(input) {
      writeFileSync(file, input, 'latin1');
      const { entries, faults, warnings } = readAllowFile(file);
      checkFaults([...faults, ...warnings], (code) => CODES.has(code));
      const lines = input.split(/\r\n?|\n/).length;
      holds(entries.length + faults.length <= lines, 'more entries than lines', entries.length, lines);
      for (const entry of entries) holds(entry.kind !== 'file', 'a list that names a list', entry);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
