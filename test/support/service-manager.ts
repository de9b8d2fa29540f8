// What a service manager hears: a real datagram socket, in the file system or abstract, that writes down each message.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { removeAtExit } from './leftovers.ts';
import { ended, eventually } from './run.ts';

/** Perl is part of every Debian, and Node has no such sockets. Messages come one a line, their own line breaks as `;`. */
const LISTEN = `
use strict; use Socket; $| = 1;
my ($name, $stopAt, $pidFile) = @ARGV;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
my $path = $name =~ /^@(.*)/ ? "\\0$1" : $name;
bind($s, pack_sockaddr_un($path)) or die $!;
print "listening\\n";
while (defined recv($s, my $message, 4096, 0)) {
  if ($stopAt ne '' && index($message, $stopAt) >= 0) {
    open(my $f, '<', $pidFile) or die $!; my $pid = <$f>; close $f;
    kill('STOP', $pid) == 1 or die $!;
  }
  $message =~ s/\\n/;/g;
  print "$message\\n" if length $message;
}`;

export interface ListenOptions {
  /** The process in `pidFile` is stopped the moment that a message with this text arrives: nothing goes on behind it. */
  readonly stopAt?: string;
  readonly pidFile?: string;
}

export interface Listener {
  /** What `NOTIFY_SOCKET` is to be. */
  readonly socket: string;
  /** All messages so far, the barriers between them left out. */
  heard(): string[];
  /** Waits for a message that holds `text`. */
  hears(text: string): Promise<string>;
  close(): Promise<void>;
}

export async function listenAsServiceManager(socket: string, options: ListenOptions = {}): Promise<Listener> {
  const args = ['-e', LISTEN, socket, options.stopAt ?? '', options.pidFile ?? ''];
  const child = spawn('/usr/bin/perl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const takeBack = removeAtExit(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(child.stdout, 'data');
  const heard = (): string[] =>
    text
      .split('\n')
      .slice(1, -1)
      .filter((message) => message !== 'BARRIER=1');
  return {
    socket,
    heard,
    hears: (wanted) => eventually(wanted, () => heard().find((message) => message.includes(wanted))),
    async close() {
      takeBack();
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}
