import { describe, expect, test } from 'vitest';
import { compare, type Compared, type Told } from './compare.ts';

const CLIENT = '192.0.2.7';

const ours = (says: Told['says'], address = CLIENT, at?: number): Told =>
  says === 'nothing' ? { says, address: undefined, at: undefined } : { says, address, at };
const theirs = (host: string | undefined, at?: number) => ({ match: true, host, at });
const NOBODY = { match: false, host: undefined, at: undefined };

const line = (expected: Compared['expected'], told: Told, attempt?: number): Compared => ({
  expected,
  told,
  attempt,
});
const one = (expected: Compared['expected'], told: Told): string => compare([line(expected, told)])[0]!;

describe('a line by itself', () => {
  test.each([
    ['agreed', theirs(CLIENT), ours('counts')],
    ['agreed', NOBODY, ours('nothing')],
    ['agreed', NOBODY, ours('evidence')],
    ['missed', theirs(CLIENT), ours('nothing')],
    ['elsewhere', theirs(CLIENT), ours('evidence')],
    ['ours only', NOBODY, ours('counts')],
    ['other address', theirs(CLIENT), ours('counts', '203.0.113.9')],
    ['other address', theirs(CLIENT), ours('evidence', '203.0.113.9')],
    ['agreed', theirs('::ffff:192.0.2.7'), ours('counts')],
    ['agreed', theirs('2001:DB8::0:7'), ours('counts', '2001:db8::7')],
    ['agreed', theirs(undefined), ours('counts')],
    ['missed', theirs('192.0.2.07'), ours('nothing')],
    ['host name', theirs('client.example'), ours('nothing')],
    ['host name', theirs('client.example'), ours('evidence')],
  ])('is %s', (outcome, expected, told) => expect(one(expected, told)).toBe(outcome));

  test('is compared by its stamp where both have read one, to the second', () => {
    const at = Date.UTC(2026, 0, 5);
    expect(one(theirs(CLIENT, at), ours('counts', CLIENT, at + 999))).toBe('agreed');
    expect(one(theirs(CLIENT, at), ours('counts', CLIENT, at + 1_000))).toBe('other time');
    expect(one(theirs(CLIENT), ours('counts', CLIENT, at))).toBe('agreed');
    expect(one(theirs(CLIENT, at), ours('counts'))).toBe('agreed');
  });
});

describe('the lines of one attempt', () => {
  test('agree where each counts it by another line', () => {
    const lines = [line(theirs(CLIENT), ours('nothing'), 1), line(NOBODY, ours('counts'), 1)];
    expect(compare(lines)).toEqual(['agreed', 'agreed']);
  });

  test('agree where one of them counts and the other is evidence', () => {
    const lines = [line(theirs(CLIENT), ours('evidence'), 1), line(theirs(CLIENT), ours('counts'), 1)];
    expect(compare(lines)).toEqual(['agreed', 'agreed']);
  });

  test('do not excuse a line that is not recognised beside one that both count', () => {
    const lines = [line(theirs(CLIENT), ours('nothing'), 1), line(theirs(CLIENT), ours('counts'), 1)];
    expect(compare(lines)).toEqual(['missed', 'agreed']);
  });

  test('do not excuse one that only we count beside one that both count', () => {
    const lines = [line(NOBODY, ours('counts'), 1), line(theirs(CLIENT), ours('counts'), 1)];
    expect(compare(lines)).toEqual(['ours only', 'agreed']);
  });

  test('are told apart by process and by address', () => {
    const otherProcess = [line(theirs(CLIENT), ours('nothing'), 1), line(NOBODY, ours('counts'), 2)];
    expect(compare(otherProcess)).toEqual(['missed', 'ours only']);
    const otherAddress = [
      line(theirs(CLIENT), ours('nothing'), 1),
      line(NOBODY, ours('counts', '192.0.2.8'), 1),
    ];
    expect(compare(otherAddress)).toEqual(['missed', 'ours only']);
    const unknown = [line(theirs(CLIENT), ours('nothing')), line(NOBODY, ours('counts'))];
    expect(compare(unknown)).toEqual(['missed', 'ours only']);
  });

  test('may leave the address to an earlier one', () => {
    const lines = [line(NOBODY, ours('counts'), 1), line(theirs(undefined), ours('nothing'), 1)];
    expect(compare(lines)).toEqual(['agreed', 'agreed']);
  });

  test('never excuse another address', () => {
    const lines = [
      line(theirs(CLIENT), ours('counts', '203.0.113.9'), 1),
      line(theirs(CLIENT), ours('counts'), 1),
    ];
    expect(compare(lines)).toEqual(['other address', 'agreed']);
  });
});
