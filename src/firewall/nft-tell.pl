# Hands transactions to nf_tables, and says what became of each: perl nft-tell.pl
#
# It reads netlink messages as nft-batch.ts writes them; the one that ends a transaction sends it. The answer is a line: empty
# where all of it has happened, and otherwise the kernel's error: then nothing has. The kernel is done with a transaction when
# sending it returns, so nothing is ever waited for.
# Source of the numbers: linux/netlink.h, netlink(7), socket(7).
use strict;
use warnings;

my ($AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER) = (16, 3, 12);
my ($SOL_SOCKET, $SO_SNDBUF, $SO_SNDBUFFORCE) = (1, 7, 32);
my ($SOL_NETLINK, $NETLINK_CAP_ACK) = (270, 10);
my ($NLMSG_ERROR, $NFNL_MSG_BATCH_END) = (2, 0x11);
my ($ENOBUFS, $MSG_DONTWAIT) = (105, 0x40);
my $HEADER = 16;
my $LARGEST_DATAGRAM = 64 << 10;
# A transaction is one datagram. Without the privilege for it there is room for as much as the host allows everybody.
my $ROOM = pack 'i', 16 << 20;

socket my $kernel, $AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER or die "netlink: $!\n";
bind $kernel, pack 'S S L L', $AF_NETLINK, 0, 0, 0 or die "netlink: $!\n";
setsockopt $kernel, $SOL_SOCKET, $SO_SNDBUFFORCE, $ROOM or setsockopt $kernel, $SOL_SOCKET, $SO_SNDBUF, $ROOM;
# An error is to be told without the whole message that it is about.
setsockopt $kernel, $SOL_NETLINK, $NETLINK_CAP_ACK, pack 'i', 1;
my $to = pack 'S S L L', $AF_NETLINK, 0, 0, 0;
binmode STDIN;
$| = 1;

my $batch = '';
while ($HEADER == read STDIN, my $header, $HEADER) {
    my ($length, $type) = unpack 'L S', $header;
    read STDIN, my $body, $length - $HEADER;
    $batch .= $header . $body;
    next if $type != $NFNL_MSG_BATCH_END;
    print defined send($kernel, $batch, 0, $to) ? verdict() : "$!", "\n";
    $batch = '';
}

# The first error is the cause of the others. Only the last message of a transaction is acknowledged where none has one. Errors
# for which there was no room are lost; what was kept is read to its end, or it would be taken for the next one's.
sub verdict {
    my ($isDone, $error) = (0, 0);
    for (;;) {
        my $came = recv($kernel, my $datagram, $LARGEST_DATAGRAM, $MSG_DONTWAIT);
        next if !defined $came && $! == $ENOBUFS;
        last if !defined $came;
        my ($type, $code) = unpack 'x4 S x10 l', $datagram;
        next if length $datagram < $HEADER + 4 || $type != $NLMSG_ERROR;
        $isDone ||= $code == 0;
        $error ||= -$code;
    }
    return $isDone ? '' : 'the kernel did not answer' if !$error;
    local $! = $error;
    return "$!";
}
