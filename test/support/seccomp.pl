# Puts a filter of system calls in force and runs a program under it: perl seccomp.pl PROGRAM ARGUMENTS…
# The filter stands beside this file, in seccomp.txt: the architecture, the numbers of the calls that are allowed, and the
# address families that socket() may be asked for. Everything else fails with EPERM, as SystemCallErrorNumber says.
use strict;
my ($arch, $prctl, $socket, $calls, $families) = do {
  (my $file = $0) =~ s/[.]pl$/.txt/;
  open(my $in, '<', $file) or die "$file: $!";
  map { chomp; $_ } <$in>;
};
# struct sock_filter: what is done, where to if it holds, where to if not, and with what (linux/filter.h).
my @program;
my $add = sub { push @program, pack('S C C L', @_) };
my ($LOAD, $IS, $END) = (0x20, 0x15, 0x06);
my ($ALLOW, $EPERM) = (0x7fff0000, 0x00050001);
$add->($LOAD, 0, 0, 4);
$add->($IS, 1, 0, hex $arch);
$add->($END, 0, 0, $EPERM);
$add->($LOAD, 0, 0, 0);
for my $number (grep { $_ != $socket } split ' ', $calls) {
  $add->($IS, 0, 1, $number);
  $add->($END, 0, 0, $ALLOW);
}
$add->($IS, 1, 0, $socket);
$add->($END, 0, 0, $EPERM);
$add->($LOAD, 0, 0, 16);
for my $family (split ' ', $families) {
  $add->($IS, 0, 1, $family);
  $add->($END, 0, 0, $ALLOW);
}
$add->($END, 0, 0, $EPERM);
my $text = join '', @program;
my $filter = pack('S x6 P', scalar @program, $text);
# PR_SET_SECCOMP, SECCOMP_MODE_FILTER
syscall($prctl, 22, 2, $filter, 0, 0) == 0 or die "seccomp: $!";
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
