import { describe, expect, test } from 'vitest';
import { readSamples, type Sample } from './expectations.ts';

function samples(text: string, others: Record<string, string> = {}, name = 'door'): Sample[] {
  return readSamples(name, (file) => (file === name ? text : others[file]!));
}

const FAILED = 'Jan  5 10:11:12 web door[1]: no entry for 192.0.2.7';

test('an expectation is of the line that follows it, and of each up to the next one', () => {
  const read =
    samples(`# failJSON: { "time": "2005-01-05T10:11:12", "match": true , "host": "192.0.2.7", "attempts": 3 }
${FAILED}
${FAILED} again
#failJSON: { "match": false, "desc": "a friend" }
Jan  5 10:11:13 web door[1]: welcome
`);
  const expected = { match: true, host: '192.0.2.7', time: '2005-01-05T10:11:12' };
  expect(read).toEqual([
    { file: 'door', number: 2, text: FAILED, expected, options: [{}] },
    { file: 'door', number: 3, text: `${FAILED} again`, expected, options: [{}] },
    {
      file: 'door',
      number: 5,
      text: 'Jan  5 10:11:13 web door[1]: welcome',
      expected: { match: false, host: undefined, time: undefined },
      options: [{}],
    },
  ]);
});

test('other comments and empty lines are no samples, and expectations inside them are none', () => {
  const read = samples(`# a remark
# #_dis_failJSON: { "match": true, "host": "192.0.2.9" }
   
# #failJSON: { "match": true, "host": "192.0.2.9" }
${FAILED}
`);
  expect(read.map(({ number, expected }) => [number, expected.match])).toEqual([[5, false]]);
});

test('lines may end as Windows ends them', () => {
  const [sample] = samples(`# failJSON: { "match": true, "host": "192.0.2.7" }\r\n${FAILED}\r\n`);
  expect(sample).toMatchObject({ text: FAILED, expected: { match: true } });
});

test('a line stays bytes, and a comment is UTF-8', () => {
  const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  const [sample] = samples(bytes('# failJSON: { "match": true, "host": "tür.example" }\nfür 192.0.2.7\n'));
  expect(sample).toMatchObject({ text: bytes('für 192.0.2.7'), expected: { host: 'tür.example' } });
});

test('null is the same as nothing said', () => {
  const [sample] = samples('# failJSON: { "match": true, "host": null, "time": null }\nx\n');
  expect(sample!.expected).toEqual({ match: true, host: undefined, time: undefined });
});

describe('options', () => {
  test('hold for all lines up to the next ones, alone or several in turn', () => {
    const read = samples(`one
# filterOptions: [{}, {"mode": "aggressive"}]
two
three
# filterOptions: {"mode": "calm", "logtype": "file"}
four
`);
    const both = [{}, { mode: 'aggressive' }];
    expect(read.map(({ options }) => options)).toEqual([
      [{}],
      both,
      both,
      [{ mode: 'calm', logtype: 'file' }],
    ]);
  });

  test('of a file are part of all that follow', () => {
    const read = samples(`# fileOptions: {"logtype": "journal"}
one
# filterOptions: [{}, {"mode": "aggressive"}]
two
`);
    expect(read.map(({ options }) => options)).toEqual([
      [{ logtype: 'journal' }],
      [{ logtype: 'journal' }, { logtype: 'journal', mode: 'aggressive' }],
    ]);
  });

  test('may put words before each line', () => {
    const [sample] = samples('# filterOptions: [{"test.prefix-line": "web door[1]: "}]\nno entry\n');
    expect(sample!.text).toBe('web door[1]: no entry');
  });
});

describe('conditions', () => {
  test('say under which options a line is read so; under no others it is read at all', () => {
    const read = samples(`# filterOptions: [{}, {"mode": "aggressive"}]
# failJSON: { "constraint": "opts.get('mode') != 'aggressive'", "match": false }
bye
# failJSON: { "constraint": "opts.get('mode') == 'aggressive'", "match": true, "host": "192.0.2.7" }
bye
`);
    expect(read.map(({ number, expected, options }) => [number, expected.match, options])).toEqual([
      [3, false, [{}]],
      [5, true, [{ mode: 'aggressive' }]],
    ]);
  });

  test.each([
    ["name == 'door'", true],
    ["name=='window'", false],
    ["name != 'door'", false],
    [`opts.get(\\"mode\\") == \\"calm\\" and name == 'door'`, true],
    ["opts.get('mode') == 'wild' and name == 'door'", false],
    ["opts.get('mode') == 'wild' or name == 'door'", true],
    ["opts.get('logtype') == 'file'", false],
  ])('%s', (condition, isRead) => {
    const text = `# filterOptions: {"mode": "calm"}\n# failJSON: {"match": true, "constraint": "${condition}"}\nx\n`;
    expect(samples(text)).toHaveLength(isRead ? 1 : 0);
  });

  test('may stand in options, and keep them from filters that share the log', () => {
    const text = `# filterOptions: [{"test.condition":"name=='door'", "mode": "calm"}]\nx\n`;
    expect([samples(text).length, samples(text, {}, 'door-old').length]).toEqual([1, 0]);
  });
});

test('the lines of an added file follow, with options of their own, once', () => {
  const read = samples('# filterOptions: {"mode": "calm"}\n# addFILE: "door-journal"\none\n', {
    'door-journal': '# fileOptions: {"logtype": "journal"}\n# addFILE: "door"\ntwo\n',
  });
  expect(read.map(({ file, text, options }) => [file, text, options])).toEqual([
    ['door', 'one', [{ mode: 'calm' }]],
    ['door-journal', 'two', [{ logtype: 'journal' }]],
  ]);
});

describe('what is not understood is told with its place', () => {
  test.each([
    ['# failJSON: { "match": true', /^door:2: /],
    ['# failJSON: ["match"]', /^door:2: no object: /],
    ['# failJSON: { "match": true, "host": 7 }', /^door:3: no text: 7$/],
    ['# failJSON: { "match": true, "constraint": "1 < 2" }', /^door:3: a condition .* 1 < 2$/],
  ])('%s', (comment, message) => expect(() => samples(`\n${comment}\nx\n`)).toThrow(message));
});
