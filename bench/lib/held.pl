# Says when a set holds all of some addresses: perl held.pl FAMILY TABLE SET ADDRESS…
# It asks the kernel for one element at a time, which takes microseconds; nft reads all of a set to tell of one.
# Source of the numbers: linux/netfilter/nf_tables.h, netlink(7).
use strict;
use warnings;
use Time::HiRes 'sleep';

my ($AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER) = (16, 3, 12);
my ($GETSETELEM, $REQUEST, $NLMSG_ERROR, $MSG_DONTWAIT, $NESTED) = (10 << 8 | 13, 1, 2, 0x40, 0x8000);
my %FAMILIES = (inet => 1, ip => 2);
my ($family, $table, $set, @addresses) = @ARGV;

socket my $kernel, $AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER or die "netlink: $!\n";
for my $address (@addresses) { sleep 0.003 while !holds($address) }
print "all\n";

sub holds {
    my $key = attribute($NESTED | 1, attribute($NESTED | 1, attribute(1, pack 'C4', split /\./, $_[0])));
    my $body = attribute(1, "$table\0") . attribute(2, "$set\0") . attribute($NESTED | 3, $key);
    my $message = pack('L S S L L C C n', 20 + length $body, $GETSETELEM, $REQUEST, 0, 0, $FAMILIES{$family}, 0, 0) . $body;
    send $kernel, $message, 0, pack 'S S L L', $AF_NETLINK, 0, 0, 0 or die "netlink: $!\n";
    my $isThere = 0;
    while (defined recv $kernel, my $answer, 1 << 16, $MSG_DONTWAIT) { $isThere ||= $NLMSG_ERROR != unpack 'x4 S', $answer }
    return $isThere;
}

sub attribute {
    my ($type, $value) = @_;
    my $length = 4 + length $value;
    return pack('S S', $length, $type) . $value . "\0" x (-$length & 3);
}
