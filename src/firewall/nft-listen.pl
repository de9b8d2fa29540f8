# Says what others do to our tables, in the lines of `nft monitor`, of which it needs a sixth of the memory and of the time:
# that one keeps each element it is told of. perl nft-listen.pl 'inet bailiff' …
#
# Elements that are added to a set of bans are passed over, unless one was deleted in the same transaction: nobody is released
# by them, and nearly all are ours. Where nothing is left to say of a transaction, nothing is said.
# Source of the numbers: linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h, netlink(7).
use strict;
use warnings;

my ($AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER) = (16, 3, 12);
my ($SOL_SOCKET, $SO_RCVBUFFORCE) = (1, 33);
my ($SOL_NETLINK, $NETLINK_ADD_MEMBERSHIP, $NFNLGRP_NFTABLES) = (270, 1, 7);
my ($NFNL_SUBSYS_NFTABLES, $NEWSETELEM, $DELSETELEM, $NEWGEN) = (10, 12, 14, 15);
my ($EINTR, $EAGAIN, $ENOBUFS, $MSG_DONTWAIT) = (4, 11, 105, 0x40);
my $NLA_TYPE_MASK = 0x3fff;
# Attributes: of a message about elements (table and set stand in front), of an element, of the end of a transaction.
my $ELEMENTS = 3;
my $KEY = 1;
my ($GENERATION, $PID, $NAME) = (1, 2, 3);
my $HEADERS = 20;
my $LARGEST_DATAGRAM = 128 << 10;
# Of one transaction; as many as the reader takes. Of more it is enough to say that there are more, and to keep no more.
my $MOST_ELEMENTS = 20_000;

my %FAMILIES = (1 => 'inet', 2 => 'ip', 3 => 'arp', 5 => 'netdev', 7 => 'bridge', 10 => 'ip6');
my %DEEDS = (
    0 => 'add table', 2 => 'delete table', 3 => 'add chain', 5 => 'delete chain', 6 => 'add rule', 8 => 'delete rule',
    9 => 'add set', 11 => 'delete set', $NEWSETELEM => 'add element', $DELSETELEM => 'delete element',
    18 => 'add object', 20 => 'delete object', 22 => 'add flowtable', 24 => 'delete flowtable',
);
my %ours = map { $_ => 1 } @ARGV;

# What was done in the transaction whose end hasn't come yet.
my @deeds;
my $elements = 0;
my $hasReleased = 0;
my $parent = getppid;

socket my $kernel, $AF_NETLINK, $SOCK_RAW, $NETLINK_NETFILTER or die "netlink: $!\n";
bind $kernel, pack 'S S L L', $AF_NETLINK, 0, 0, 0 or die "netlink: $!\n";
# As much as `nft monitor` asks for. Without the privilege it is less, and more is lost, which is said.
setsockopt $kernel, $SOL_SOCKET, $SO_RCVBUFFORCE, pack 'i', 16 << 20;
setsockopt $kernel, $SOL_NETLINK, $NETLINK_ADD_MEMBERSHIP, pack 'i', $NFNLGRP_NFTABLES
    or die "announcements of nf_tables: $!\n";
$| = 1;

for (;;) {
    my $came = recv $kernel, my $datagram, $LARGEST_DATAGRAM, 0;
    # Where the kernel may not end it with its daemon, it notices here.
    exit if getppid != $parent;
    if (defined $came) { take($datagram) }
    elsif ($! == $ENOBUFS) { empty() }
    elsif ($! != $EINTR) { die "netlink: $!\n" }
}

# After a loss the kernel keeps nothing more for a socket until it is read empty: what is there is old, and looking anew is
# worth something only from then on.
sub empty {
    while (defined recv $kernel, my $old, $LARGEST_DATAGRAM, $MSG_DONTWAIT or $! == $ENOBUFS) { }
    die "netlink: $!\n" if $! != $EAGAIN;
    forget();
    print "# ERROR: announcements were lost\n";
}

sub take {
    my ($datagram) = @_;
    for (my $at = 0; $at + $HEADERS <= length $datagram;) {
        my ($length, $type, $family) = unpack 'L S x10 C', substr $datagram, $at, $HEADERS;
        last if $length < $HEADERS;
        my $body = substr $datagram, $at + $HEADERS, $length - $HEADERS;
        $at += aligned($length);
        next if $type >> 8 != $NFNL_SUBSYS_NFTABLES;
        if (($type & 0xff) == $NEWGEN) { finish($body) }
        else { note($type & 0xff, $FAMILIES{$family} // '?', $body) }
    }
}

sub note {
    my ($type, $family, $body) = @_;
    my $deed = $DEEDS{$type} // return;
    # The table is the first attribute of each of them.
    my $table = "$family " . unpack 'x4 Z*', $body;
    return if !$ours{$table};
    my $isElement = $type == $NEWSETELEM || $type == $DELSETELEM;
    return push @deeds, "$deed $table\n" if !$isElement;
    my $set = unpack 'x4 Z*', rest($body);
    # What a rule lists within itself is told with the rule.
    return if $set =~ /^__(?:set|map)\d/ || $type == $NEWSETELEM && !$hasReleased && $set =~ /^ban/;
    $hasReleased ||= $type == $DELSETELEM;
    $elements++;
    return if $elements > $MOST_ELEMENTS;
    return push @deeds, "$deed $table\n" if $elements == $MOST_ELEMENTS;
    my %told = map { @$_ } attributes($body);
    push @deeds, map { "$deed $table $set" . element($_->[1]) . "\n" } attributes($told{$ELEMENTS});
}

# Its key, as ` { 192.0.2.7 }`; its bytes where it is no address: then it isn't one of ours.
sub element {
    my ($key) = grep { $_->[0] == $KEY } attributes($_[0]);
    my $value = $key ? (attributes($key->[1]))[0][1] : '';
    return ' { ' . join('.', unpack 'C4', $value) . ' }' if length $value == 4;
    return ' { ' . join(':', map { sprintf '%x', $_ } unpack 'n8', $value) . ' }' if length $value == 16;
    return ' { 0x' . unpack('H*', $value) . ' }';
}

sub finish {
    return if !@deeds;
    my %said = map { @$_ } attributes($_[0]);
    my ($generation, $pid) = map { unpack 'N', $_ } @said{$GENERATION, $PID};
    # Somebody chose it.
    (my $name = unpack 'Z*', $said{$NAME}) =~ tr/ -~/?/c;
    print @deeds, "# new generation $generation by process $pid ($name)\n";
    forget();
}

sub forget {
    @deeds = ();
    ($elements, $hasReleased) = (0, 0);
}

# [type, value] of each of the attributes that stand one behind the other.
sub attributes {
    my ($text) = @_;
    my @found;
    while (length $text >= 4) {
        my ($length, $type) = unpack 'S S', $text;
        last if $length < 4;
        push @found, [$type & $NLA_TYPE_MASK, substr $text, 4, $length - 4];
        $text = rest($text);
    }
    return @found;
}

# What follows the first attribute.
sub rest {
    my ($text) = @_;
    my $length = aligned(unpack 'S', $text);
    return $length < length $text ? substr $text, $length : '';
}

sub aligned { return ($_[0] + 3) & ~3 }
