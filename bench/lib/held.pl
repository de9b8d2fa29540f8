# Says "ready", and "all" when a set holds all of some addresses: perl held.pl FAMILY TABLE SET ADDRESS…
# With -n before them it says which of them the set doesn't hold, one to a line.
# It asks the kernel for one element at a time, which takes microseconds; nft reads all of a set to tell of one.
# Source of the numbers: linux/netfilter/nf_tables.h, netlink(7).
use strict;
use warnings;
use Time::HiRes 'sleep';

my ($AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER) = (16, 3, 12);
my ($GETSETELEM, $REQUEST, $NLMSG_ERROR, $MSG_DONTWAIT, $NESTED) = (10 << 8 | 13, 1, 2, 0x40, 0x8000);
my %FAMILIES = (inet => 1, ip => 2);
# Attributes of a message about elements, in a list of them, of an element, of its key.
my ($OF_TABLE, $OF_SET, $ELEMENTS) = (1, 2, 3);
my ($ONE, $KEY, $VALUE) = (1, 1, 1);
my $isAskedOnce = $ARGV[0] eq '-n' && shift;
my ($family, $table, $set, @addresses) = @ARGV;

socket my $kernel, $AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER or die "netlink: $!\n";
if ($isAskedOnce) {
    for my $address (@addresses) { print "$address\n" if !holds($address) }
    exit;
}
$| = 1;
print "ready\n";
for my $address (@addresses) { sleep 0.003 while !holds($address) }
print "all\n";

sub holds {
    my $key = attribute($NESTED | $KEY, attribute($VALUE, pack 'C4', split /\./, $_[0]));
    my $elements = attribute($NESTED | $ELEMENTS, attribute($NESTED | $ONE, $key));
    my $body = attribute($OF_TABLE, "$table\0") . attribute($OF_SET, "$set\0") . $elements;
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
