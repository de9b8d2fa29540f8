// Readers of records: JSON beside JSON.parse, logfmt beside what wrote it, container frames.
import { unwrapLine } from '../../../src/filters/containers.ts';
import { createJsonReader, unescaped, type WantedField } from '../../../src/filters/json.ts';
import { createLogfmtReader } from '../../../src/filters/logfmt.ts';
import { holds, same, type Target } from '../target.ts';

const PATHS = ['ip', 'req.ip', 'a.b.c', 'list.0', 'list.1.ip', 'msg', 'time', '__proto__', 'é'];
const WANTED: WantedField[] = PATHS.map((path, index) => ({ path, once: index < 5 }));

/** What logs have in place of JSON, so that both may say something else. */
const LENIENT = /\\x|\\v|:\s*-?\s*[,}]/;

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** The value at a path as the reader tells it, in an object that JSON.parse made; undefined where it isn't plain. */
function plainValue(root: unknown, path: string): string | undefined {
  let value = root;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' && value !== '' ? utf8(value.toWellFormed()) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function jsonTarget(): Target {
  const reader = createJsonReader(WANTED);
  return {
    name: 'json',
    holds:
      'the reader of records takes what JSON.parse takes as an object, has the same texts in it, and refuses the rest',
    seeds: [
      '{"ip":"192.0.2.7","req":{"ip":"192.0.2.9"},"a":{"b":{"c":1}},"list":["x",{"ip":"192.0.2.8"}],"msg":"a\\u00e9\\n","time":1767607872.5,"\\u00e9":true}',
      '{"a.b":{"c":"x"},"a":{"b.c":"y"},"__proto__":"z","n":null,"e":-0.5e+10,"o":[[],{},[1,2]]}',
      '{"ip":"192.0.2.7","ip":"203.0.113.9"}',
      '{"ip":-,"msg":,"time":"\\x22"}',
    ],
    words: [
      '{"',
      '":',
      '","',
      '"}',
      '[',
      ']',
      '{}',
      '[]',
      'null',
      'true',
      'false',
      '"ip":"',
      '"req":{"',
      '"req.ip":"',
      '"a.b.c":',
      '"list":[',
      '\\ud800',
      '\\u00e9',
      '\\/',
      '1e5',
      '-',
    ],
    run(input) {
      const text = input.replace(/\n/g, ' ');
      // Behind it stands the next line, as in a chunk.
      const why = reader.read(`${text}\n{"ip":"203.0.113.9"}\n`, 0, text.length);
      const object = parsed(Buffer.from(text, 'latin1').toString('utf8'));
      const isObject = typeof object === 'object' && object !== null && !Array.isArray(object);
      if (why !== undefined) {
        holds(!isObject || why.includes('twice'), 'JSON is refused', why);
        return;
      }
      holds(isObject || LENIENT.test(text) || isBareInBytes(text), 'no JSON is taken', text);
      if (!isObject) return;
      for (const [index, path] of PATHS.entries()) {
        const expected = plainValue(object, path);
        const found = reader.value(index);
        // A key with dots may stand for the path as well; a repeated key has its last value in both.
        if (expected !== undefined && found !== undefined && !path.includes('.') && isUtf8(text))
          same(found, expected, `the value of ${path}`);
        if (!path.includes('.'))
          holds(expected === undefined || found !== undefined, `${path} is lost`, expected);
      }
    },
  };
}

const isUtf8 = (text: string): boolean => utf8(Buffer.from(text, 'latin1').toString('utf8')) === text;
/** Bytes that are no UTF-8 stand in a text as they are; JSON.parse sees U+FFFD, and takes it. */
const isBareInBytes = (text: string): boolean => !isUtf8(text);

const KEYS = ['ip', 'msg', 'user', 'req.ip'];

/** As Go's encoders write it. */
function logfmtOf(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .map(([key, value]) =>
      /^[^\x00-\x20"=\\\x7f]+$/.test(value) ? `${key}=${value}` : `${key}=${JSON.stringify(value)}`,
    )
    .join(' ');
}

export function logfmtTarget(): Target {
  const reader = createLogfmtReader(KEYS.map((path) => ({ path, once: true })));
  const read = (text: string): (string | undefined)[] | undefined =>
    reader.read(`${text}\nip=203.0.113.9\n`, 0, text.length) === undefined
      ? KEYS.map((_, index) => reader.value(index))
      : undefined;
  return {
    name: 'logfmt',
    holds: 'what an encoder wrote is read as it was meant; what is read is read the same once written anew',
    seeds: [
      'level=error msg="login \\"failed\\"" ip=192.0.2.7 user= flag req.ip="2001:db8::7"',
      'ip=192.0.2.7 ip=203.0.113.9',
      'msg="a\\tb\\u00e9\\x41" ip=x',
    ],
    words: ['ip=', ' ip=', 'msg="', '" ip=203.0.113.9 x="', 'user=', '\\"', '=""', '" ', 'req.ip='],
    run(input) {
      const text = input.replace(/\n/g, ' ');
      const found = read(text);
      if (found) {
        const ascii = found.every((value) => value === undefined || !/[\x7f-\xff]/.test(value));
        const pairs = KEYS.flatMap((key, index) =>
          found[index] === undefined ? [] : [[key, found[index]] as const],
        );
        if (ascii && pairs.length > 0) same(read(logfmtOf(pairs)), found, 'read, written and read');
      }
      // A client's text in one value, by an encoder: nothing of it gets into another.
      const hostile = text.slice(0, 16_384).replace(/[\x7f-\xff]/g, '?');
      const line = logfmtOf([
        ['msg', hostile],
        ['ip', '192.0.2.7'],
        ['user', hostile],
      ]);
      same(
        read(line),
        ['192.0.2.7', hostile || undefined, hostile || undefined, undefined],
        'a text in a value',
      );
    },
  };
}

export function containersTarget(): Target {
  return {
    name: 'containers',
    holds: "no program's output ends, begins or fakes the frame that an engine put around it",
    seeds: [
      'x","stream":"stderr","time":"2026-01-05T10:11:12Z"}',
      '2026-01-05T10:11:12.123456789Z stdout F inner',
      '{"log":"x\\n","stream":"stdout","attrs":{"a":"b"},"time":"2026-01-05T10:11:12.123Z"}',
    ],
    words: [
      '{"log":"',
      '","stream":"stdout"',
      ',"time":"2026-01-05T10:11:12.5Z"}',
      ',"attrs":{',
      'stdout P ',
      'stderr F ',
      '\\n',
      '\\u000a',
    ],
    run(input) {
      unwrapLine(input, 0, input.length);
      const inner = input.replace(/[\n\r]/g, ' ');
      const docker = JSON.stringify({
        log: `${inner}\n`,
        stream: 'stdout',
        time: '2026-01-05T10:11:12.123Z',
      });
      const written = Buffer.from(docker, 'utf8').toString('latin1');
      const opened = unwrapLine(written, 0, written.length);
      same(
        opened && { ...opened },
        { text: utf8(inner), stream: 'stdout', isPart: false, stamp: '2026-01-05T10:11:12.123Z' },
        'Docker',
      );
      const cri = `2026-01-05T10:11:12.123456789Z stderr F ${inner}`;
      same(unwrapLine(cri, 0, cri.length)?.text, inner, 'CRI');
    },
  };
}

export function escapesTarget(): Target {
  return {
    name: 'escapes',
    holds: 'a text that JSON wrote comes back as it was, half a pair as U+FFFD',
    seeds: ['a"\\\n\xe9', '\\ud83d\\ude00', '\\U0010ffff\\x41\\a'],
    words: ['\\u', '\\ud83d', '\\ude00', '\\U0010ffff', '\\x'],
    run(input) {
      unescaped(input);
      same(unescaped(utf8(JSON.stringify(input).slice(1, -1))), utf8(input), 'escaped and back');
    },
  };
}
