#!/bin/sh
# Runs one command as a stranger to this host: sh docs/visitor.sh curl -s http://198.51.100.1/
#
# The stranger is a network namespace with the address 198.51.100.7 (2001:db8:7::7); to him this host is 198.51.100.1
# (2001:db8:7::1). Only root may make one. When the command ends, nothing of it is left.
set -eu

if [ -z "${VISITOR:-}" ]; then
  exec 9</proc/self/ns/net
  VISITOR=yes exec unshare --net sh "$0" "$@"
fi

wire=visitor$$
host() { nsenter --net=/proc/self/fd/9 ip "$@"; }
# The kernel takes a namespace away when it has time; until then answers to the next visitor would go this way.
trap 'host link delete "$wire"' EXIT
host link add "$wire" type veth peer name eth0 netns $$
host address add 198.51.100.1/24 dev "$wire"
host address add 2001:db8:7::1/64 dev "$wire" nodad
host link set "$wire" up
ip link set lo up
ip address add 198.51.100.7/24 dev eth0
ip address add 2001:db8:7::7/64 dev eth0 nodad
ip link set eth0 up
"$@" 9<&-
