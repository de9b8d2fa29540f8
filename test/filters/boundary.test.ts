// Where an address ends: nothing of what stands behind it may be taken for a part of it, and nothing that does for the rest.
import { describe, expect, it } from 'vitest';
import { faultsOf, NOW, pattern, plain } from './engine.ts';

const addressIn = (regex: string, message: string): string | undefined => {
  const verdict = plain(regex).judge(message, NOW);
  return 'match' in verdict ? verdict.match.address.text : undefined;
};

describe('an address with an open end behind it', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7 port 22', '192.0.2.7'],
    ['192.0.2.7.', '192.0.2.7'],
    ['192.0.2.7. Bye', '192.0.2.7'],
    ['192.0.2.7: no', '192.0.2.7'],
    ['192.0.2.7:22', '192.0.2.7'],
    ['192.0.2.7:22 no', '192.0.2.7'],
    ['192.0.2.7, 203.0.113.9', '192.0.2.7'],
    ['192.0.2.7)', '192.0.2.7'],
    ['192.0.2.7的', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['2001:db8::7. Bye', '2001:db8::7'],
    ['[2001:db8::7]:22', '2001:db8::7'],
    ['2001:db8::7%eth0', '2001:db8::7'],
  ])('in "from %s" is %s', (text, address) => expect(addressIn('from <ip>', `from ${text}`)).toBe(address));

  it.each([
    '2001:db8::7auth',
    '2001:db8::7_',
    '192.0.2.7x',
    '192.0.2.77x',
    '192.0.2.7.host.example',
    '192.0.2.7:ssh',
    '[2001:db8::7]x',
  ])('is none in "from %s"', (text) => expect(addressIn('from <ip>', `from ${text}`)).toBeUndefined());
});

describe('an address behind which the pattern goes on', () => {
  it.each([
    ['^<ip>:\\d+$', '2001:db8::7:22', '2001:db8::7'],
    ['^<ip>:<text>$', '192.0.2.7:no', '192.0.2.7'],
    ['^\\[<ip>\\]$', '[2001:db8::7]', '2001:db8::7'],
    ['^<ip>\\d$', '192.0.2.77', undefined],
    // Wherever it stands in the pattern.
    ['^(?:(?:a+ )?(?:to (b)|from <ip>)(?: x)?|<u> <ip>)', 'aaa from 192.0.2.7 x', '192.0.2.7'],
    ['^(?:(?:a+ )?(?:to (b)|from <ip>)(?: x)?|<u> <ip>)', 'aaa from 2001:db8::7auth', undefined],
    ['^(?:(?:a+ )?(?:to (b)|from <ip>)(?: x)?|<u> <ip>)', 'aab 192.0.2.7', '192.0.2.7'],
    ['^(?:(?:a+ )?(?:to (b)|from <ip>)(?: x)?|<u> <ip>)', 'aab 2001:db8::7auth', undefined],
    ['^<F-WHOLE>by <ip></F-WHOLE>', 'by 192.0.2.7', '192.0.2.7'],
    ['^<F-WHOLE>by <ip></F-WHOLE>', 'by 2001:db8::7auth', undefined],
  ])('%s in "%s" is %s', (regex, message, address) => expect(addressIn(regex, message)).toBe(address));

  it('keeps no field for what stands before it', () => {
    const verdict = plain('^a <user> from <ip>').judge('a b from 192.0.2.7', NOW);
    expect(verdict).toMatchObject({ match: { fields: { user: 'b' } } });
    expect('match' in verdict && Object.keys(verdict.match.fields)).toEqual(['user']);
  });
});

describe('a pattern is refused', () => {
  const textOf = (regex: string): string => faultsOf({ match: [pattern(regex)] })[0]!.text;
  it('whose address stands where it only looks', () =>
    expect(textOf('^from \\S+(?<=<ip>)')).toContain('inside a look-behind'));
  it('that has no address, and says what was probably meant', () => {
    expect(textOf('^from <ipp>$')).toContain('<ipp> is free text; did you mean <ip>?');
    expect(textOf('^from <F-ADDRESS>$')).toContain('<address> is free text; did you mean <ip>?');
    expect(textOf('^from <user>$')).not.toContain('did you mean');
  });
});
