// Why a line of fail2ban's sample logs is read otherwise by us, for each on which the two differ. Lines are named by a
// digest, as `npm run test:peer` prints it: they are not ours to copy, and their numbers change with each version.

export interface Reason {
  readonly why: string;
  /** The digest of each line, by `digestOf` in report.ts. */
  readonly lines: readonly string[];
}

/** By the name of the sample log. */
export const REASONS: Readonly<Record<string, readonly Reason[]>> = {
  'apache-auth': [
    {
      why: 'Apache writes AH01631 about the same request, and that line counts',
      lines: ['e911b0537a', '7ba151fff6'],
    },
    {
      why: 'a second name on one connection is what browsers ask for by themselves over HTTP/2; it counts in mode aggressive',
      lines: ['cb2adc17e3'],
    },
  ],
  dovecot: [
    {
      why: 'the stamp is that of multilog (TAI64N), which is ten seconds ahead of UTC; fail2ban takes it as it is',
      lines: ['ad6dd5eaee', 'bea4add7de', 'd552ad1ea3', '2df8c8989f'],
    },
    {
      why: "an auth process's line about an attempt on which the log-in process writes its own, and that one counts",
      lines: ['3f3b0bb74c'],
    },
    {
      why: "PAM's line about an attempt on which the log-in process writes its own, and that one counts",
      lines: ['5a79262b57'],
    },
  ],
  exim: [
    {
      why: "of a sender who can't be verified the line before counts, which says why",
      lines: ['e1c0325fe1'],
    },
    {
      why: 'a connection that asks for nothing is what monitoring makes too; it counts in mode aggressive',
      lines: ['a5c58af332', '233b3a025b', '66c854a2a4', '81d7f6e192'],
    },
    {
      why: 'of a connection that an ACL drops the refusal counts, which has a line of its own',
      lines: ['f6fb19ecca', '8e47628154', '6ae2f11039', 'a5d6ec0fbd'],
    },
  ],
  freeswitch: [
    {
      why: '"Can\'t find user" comes in addition to "SIP auth failure", which counts',
      lines: ['f2d752af88', 'a2d75ebe63', 'd2818f4437', 'bb952ba9db'],
    },
  ],
  'nginx-http-auth': [
    {
      why: 'two messages in one line, either of which a client may have written: it is left alone',
      lines: ['779335556f'],
    },
  ],
  'pam-generic': [
    {
      why: 'of two rhost= behind user= either may be part of a name: the line is left alone',
      lines: ['8a24bfa734'],
    },
  ],
  perdition: [
    { why: 'a client that leaves before it has logged in has guessed nothing', lines: ['cb2dc1d9ff'] },
  ],
  proftpd: [{ why: 'it comes in addition to the last refused log-in, which counts', lines: ['94581c15a1'] }],
  sshd: [
    {
      why: "a leading zero: sshd writes none, but a name in the DNS may be worded so, and whether it is octal can't be told",
      lines: ['95ab88f7be', 'a4c1f54fd0'],
    },
    {
      why: 'the failure that follows counts: "Failed password", or the end of the connection',
      lines: [
        '2efa6c6adc',
        '2b38fb1441',
        '2457c97a05',
        'c7d69d5206',
        '8f2b5a9c8b',
        'ae301fedbf',
        'bfc03271ae',
        'ff670de859',
        '8f24b1f767',
        'f58b4302da',
        'c0b3c68039',
        '72e15c8558',
        '741ce22c6f',
        '5465ef5132',
        '80fad73df3',
        '9764da7c8e',
        'f2835c8b2a',
        '9472361704',
        '36b5028ad0',
      ],
    },
    {
      why: 'what a client says as it leaves; since 7.5 "Disconnected from authenticating user" follows, and counts',
      lines: [
        'd00d27af65',
        '3619ca1e24',
        'e2838eb1e7',
        '81783fce1e',
        '015b033357',
        '8eb02cf397',
        '0732972b4a',
        '6c82158698',
        '0e77cbb6a3',
        '4cbaefa89e',
        '25abc85c72',
        'db87ac7256',
        'c6a419546f',
        '1501e68d80',
        '5e912c7181',
        'ae9100c43d',
        'a1dc23ac85',
        '65510bd7f7',
        '769fce7a4f',
        '7fdc97487d',
        '927a2ba7af',
      ],
    },
    {
      why: 'a client offers each key that it has, so that one refused is evidence: the end of the connection counts',
      lines: ['10306161ff', 'a2a7ec7e15', '801c909f8e', '8a6c793608'],
    },
    { why: 'PAM\'s line comes before "Failed password", which counts', lines: ['603154dde0', '8c13dd2b38'] },
    {
      why: 'a success, at which fail2ban counts the lines of PAM before it; sshd writes "Failed password" about each that it refuses, and where another module of PAM let the user in, nothing was refused',
      lines: ['8bf3e72f36', '99298be88f', '2def69ebe9', '78abdff8a7'],
    },
    {
      why: "sshd has no note to write behind a password, so that the first address is part of a name, and fail2ban's is the wrong one; other versions may differ: the line is left alone",
      lines: ['0d4856bcb8', '67bea5f660'],
    },
    {
      why: 'the sample gives one pid two clients; the second named a user and was let in by nothing, which is all that guessers leave where only keys are taken',
      lines: ['1e178cd8b2', 'eeb425f833'],
    },
  ],
};
