import { describe, expect, test } from 'vitest';
import { formatFault } from '../../src/errors.ts';
import { parseFilter } from '../../src/filters/definition.ts';

const faultsOf = (text: string, file = 'filters/sample.yaml'): string[] =>
  parseFilter(text, file).faults.map((fault) => `${fault.code} ${formatFault(fault)}`);

const WHOLE = `service: OpenSSH
description: log-ins
layout: syslog
program: [sshd, sshd-session]
match:
  - '^Failed <user> from <ip>$'
  - { regex: '^Invalid <user> from <ip>$', counts: 0, mode: aggressive }
success: '^Accepted <user> from <ip>$'
except:
  - '^Failed test '
limits: { user: an account of the host }
where: { user: [root, admin], program: { prefix: ssh } }
samples:
  - line: 'Jan  5 10:11:12 web sshd[1]: Failed 007 from 192.0.2.7'
    yields: { ip: 192.0.2.7, user: 007, counts: 1 }
forged:
  - { line: x, yields: none }
`;

describe('a filter file', () => {
  test('is read with every key, and each pattern and sample knows its place', () => {
    const { definition, faults } = parseFilter(WHOLE, '/etc/bailiff/filters/my-sshd.yaml');
    expect(faults).toEqual([]);
    expect(definition).toEqual({
      name: 'my-sshd',
      file: '/etc/bailiff/filters/my-sshd.yaml',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      service: 'OpenSSH',
      description: 'log-ins',
      layout: 'syslog',
      layoutAt: { line: 3, column: 9 },
      program: ['sshd', 'sshd-session'],
      match: [
        { regex: '^Failed <user> from <ip>$', counts: 1, mode: 'normal', line: 6, column: 5 },
        { regex: '^Invalid <user> from <ip>$', counts: 0, mode: 'aggressive', line: 7, column: 5 },
      ],
      success: [{ regex: '^Accepted <user> from <ip>$', counts: 1, mode: 'normal', line: 8, column: 10 }],
      protects: 'jail',
      opens: [],
      closes: [],
      except: [{ regex: '^Failed test ', counts: 1, mode: 'normal', line: 10, column: 5 }],
      limits: [{ field: 'user', why: 'an account of the host', line: 11, column: 11 }],
      where: { user: ['root', 'admin'], program: { prefix: ['ssh'] } },
      exceptWhere: undefined,
      matchWhere: [],
      successWhere: [],
      address: [],
      time: [],
      session: [],
      samples: [
        {
          text: 'Jan  5 10:11:12 web sshd[1]: Failed 007 from 192.0.2.7',
          // As written: values are compared as texts.
          yields: { ip: '192.0.2.7', user: '007', counts: '1' },
          line: 14,
          column: 5,
        },
      ],
      forged: [{ text: 'x', yields: 'none', line: 17, column: 5 }],
    });
  });

  test('has another hash as soon as a byte of it changes', () => {
    const hash = parseFilter(WHOLE, 'a.yaml').definition?.hash;
    expect(parseFilter(WHOLE, 'a.yaml').definition?.hash).toBe(hash);
    expect(parseFilter(`${WHOLE}# more\n`, 'a.yaml').definition?.hash).not.toBe(hash);
  });

  test('of an access log has conditions: numbers, texts as written, lists, tests, and exceptions of the same kind', () => {
    const { definition, faults } = parseFilter(
      `service: nginx
layout: access
where: { status: [401, 403], bytes: 007, method: POST, user: true, path: { prefix: [/a, /b], present: true } }
except: { user_agent: { regex: '^monitor' } }
`,
      'x.yaml',
    );
    expect(faults).toEqual([]);
    expect(definition?.where).toEqual({
      status: [401, 403],
      bytes: '007',
      method: 'POST',
      user: true,
      path: { prefix: ['/a', '/b'], present: true },
    });
    expect(definition?.exceptWhere).toEqual({ user_agent: { regex: ['^monitor'] } });
    expect(definition?.except).toEqual([]);
  });

  test('over lines of text may except by conditions too', () => {
    const { definition } = parseFilter(
      "service: x\nlayout: plain\nmatch: '^<user> from <ip>$'\nexcept: { user: test }\n",
      'x.yaml',
    );
    expect(definition?.exceptWhere).toEqual({ user: 'test' });
    expect(definition?.except).toEqual([]);
  });

  test('may name a field __proto__', () => {
    const { definition } = parseFilter('service: x\nlayout: access\nwhere: { __proto__: a }\n', 'x.yaml');
    expect(Object.keys(definition!.where!)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(definition!.where)).toBe(Object.prototype);
  });
});

describe('faults', () => {
  test('are all told at once, each with its place and what would mend it', () => {
    const text = `servce: OpenSSH
layout: sislog
program: 7
match:
  - { regx: '^x <ip>', counts: -1, mode: agressive }
  - 12
samples:
  - { line: "a\\nb", yields: maybe }
`;
    expect(faultsOf(text)).toEqual([
      'E_FILTER_UNKNOWN_KEY filters/sample.yaml:1:1: a filter takes no key "servce"; did you mean "service"?',
      'E_FILTER_VALUE filters/sample.yaml:2:9: "layout" must be one of syslog, access, json, logfmt, plain; did you mean "syslog"?',
      'E_FILTER_MISSING filters/sample.yaml:1:1: "service" is missing: say whose log lines these are',
      'E_FILTER_TYPE filters/sample.yaml:3:10: "program" must be a text that is not empty',
      'E_FILTER_UNKNOWN_KEY filters/sample.yaml:5:7: a pattern of "match" takes no key "regx"; did you mean "regex"?',
      'E_FILTER_TYPE filters/sample.yaml:5:32: "counts" must be a whole number that is not negative, or "session"',
      'E_FILTER_VALUE filters/sample.yaml:5:42: "mode" must be one of normal, aggressive; did you mean "aggressive"?',
      'E_FILTER_MISSING filters/sample.yaml:5:5: a pattern of "match" has no "regex"',
      'E_FILTER_TYPE filters/sample.yaml:6:5: a pattern of "match" must be a text that is not empty',
      'E_FILTER_VALUE filters/sample.yaml:8:5: "line" must be one line; several lines are for layout syslog, and for a filter that "opens" or "closes" sessions',
      'E_FILTER_TYPE filters/sample.yaml:8:29: "yields" must be a mapping of fields to values, or "none"',
    ]);
  });

  test.each([
    ['', 'E_FILTER_MISSING filters/sample.yaml: the file is empty'],
    ['# nothing\n', 'E_FILTER_MISSING filters/sample.yaml: the file is empty'],
    ['[1]', 'E_FILTER_TYPE filters/sample.yaml:1:1: a filter must be a mapping of keys to values'],
    ['service: x\nlayout: plain', '"match" is missing'],
    ['service: x\nlayout: access', '"where" is missing'],
    ['service: x\nlayout: json\nwhere: {}', '"address" is missing'],
    [
      'service: x\nlayout: json\naddress: ip\nwhere: {}\nlimits: {}',
      ':5:1: "limits" means nothing with layout json',
    ],
    ['service: x\nlayout: plain\nmatch: x\nlimits: { user: [] }', ':4:17: "user" of "limits" must be'],
    ['service: x\nlayout: access\nwhere: {}\nsuccess: x', ':4:1: "success" means nothing with layout access'],
    ['service: x\nlayout: plain\nmatch: x\naddress: y', ':4:1: "address" means nothing with layout plain'],
    ['service: x\nservice: y', 'E_FILTER_DUPLICATE_KEY filters/sample.yaml:2:1: this key is there twice'],
    ['service: x\nlayout: access\nwhere: { path: { prefx: / } }', 'did you mean "prefix"?'],
    ['service: x\nlayout: access\nwhere: { path: {} }', 'has no test'],
    ['service: x\nlayout: access\nwhere: { path: [] }', 'it would never hold'],
    ['service: x\nlayout: access\nwhere: { path: }', '"path" of "where" must be a text, a number'],
    ['service: x\nlayout: access\nwhere: { path: { present: 1 } }', 'must be true or false'],
    ['service:\nlayout: access\nwhere: {}', ':1:9: "service" must be a text'],
    ['service: x\nlayout: plain\nmatch: [{ regex }]', '"regex" must be a text that is not empty'],
    ['service: x\nlayout: syslog\nmatch: [{ regex: x, counts: sesion }]', 'not negative, or "session"'],
    ['service: x\nlayout: syslog\nmatch: x\nsuccess: y\nprotects: hosts', 'did you mean "host"?'],
    ['service: x\nlayout: syslog\nmatch: x\nprotects: host', '"success" is missing'],
    ['service: x\nlayout: syslog\nmatch: x\nsession: reqId', 'it belongs to json and logfmt'],
    [
      'service: x\nlayout: plain\nmatch: [{ regex: x, counts: session }]',
      ':3:9: "counts: session" needs <session> with layout plain, whose lines bear no pid',
    ],
    ['service: x\nlayout: plain\nmatch: x\nsamples: [{ line: x }]', 'has no "yields"'],
    ['service: x\nlayout: plain\nmatch: x\nsamples: [{ yields: none }]', 'has no "line"'],
    ['service: x\nlayout: plain\nmatch: x\nsamples: { line: x }', '"samples" must be a list'],
    [
      'service: x\nlayout: plain\nmatch: x\nforged: [{ line: x, yields: { ip: [1] } }]',
      '"ip" of "yields" must be a text',
    ],
  ])('%j', (text, told) => expect(faultsOf(text).join('\n')).toContain(told));

  test('a faulty filter has no definition', () => {
    expect(parseFilter('service: x', 'x.yaml').definition).toBeUndefined();
  });

  test.each(['.yaml', '-x.yaml', 'a b.yaml', `${'x'.repeat(65)}.yaml`])(
    'a file may not be named %s',
    (file) => expect(faultsOf(WHOLE, `filters/${file}`).join()).toContain('E_FILTER_NAME'),
  );
});

describe('hostile YAML', () => {
  const base = 'layout: access\nwhere: {}\n';
  test.each([
    ['an alias', `${base}service: &a x\ndescription: *a\n`],
    ['an anchor without an alias', `${base}service: &a x\n`],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n${base}`,
    ],
    ['a tag', `${base}service: !!js/function "x"\n`],
    ['a tag of its own', `${base}service: !x y\n`],
    ['a second document', `${base}service: x\n---\nservice: y\n`],
    ['an older YAML', `%YAML 1.1\n---\n${base}service: x\n`],
    ['text that is no YAML', `${base}service: "x\n`],
    ['tabs for indentation', `${base}service:\n\tx: 1\n`],
    ['a nest', `${base}service: ${'['.repeat(50_000)}\n`],
    ['a flood', `${base}service: ${'x'.repeat(300_000)}\n`],
    ['control characters', `${base}service: x\x00\x1b[31m: y\n`],
  ])('%s is a fault', (_what, text) => {
    const { definition, faults } = parseFilter(text, 'x.yaml');
    expect(definition).toBeUndefined();
    expect(faults.length).toBeGreaterThan(0);
    // Control characters are what must not be in them.
    // oxlint-disable-next-line no-control-regex
    for (const { message } of faults) expect(message).not.toMatch(/[\x00-\x1f\x7f]/);
  });
});
