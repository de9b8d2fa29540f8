#!/bin/sh
# sh sandbox.sh UNPACKED SCRATCH COMMAND…
#
# Runs a command where the packages unpacked in UNPACKED are installed, and nothing that it writes reaches the host but
# for files below /tmp. Started in a mount namespace and a pid namespace of its own, with which all of this ends.
set -eu
unpacked=$1
scratch=$2
shift 2

mount -t tmpfs none "$scratch"
for tree in usr etc var; do
  mkdir "$scratch/$tree" "$scratch/$tree.work"
  mount -t overlay overlay -o "lowerdir=$unpacked/$tree:/$tree,upperdir=$scratch/$tree,workdir=$scratch/$tree.work" "/$tree"
done
mount -t tmpfs -o mode=755 none /run
mkdir /run/lock /run/sshd

# A /dev of its own: /dev/log must not be the host's.
mkdir "$scratch/dev"
mount -t tmpfs -o mode=755 none "$scratch/dev"
for device in null zero full random urandom tty; do
  : >"$scratch/dev/$device"
  mount --bind "/dev/$device" "$scratch/dev/$device"
done
mkdir "$scratch/dev/pts" "$scratch/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 none "$scratch/dev/pts"
ln -s pts/ptmx "$scratch/dev/ptmx"
ln -s /proc/self/fd "$scratch/dev/fd"
mount --move "$scratch/dev" /dev

# The accounts: one that logs in (alice, whose password is "correct-horse"), and those that the packages would have made.
cat >/etc/passwd <<END
root:x:0:0::/root:/bin/sh
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
mail:x:8:8::/var/mail:/usr/sbin/nologin
www-data:x:33:33::/var/www:/usr/sbin/nologin
alice:x:1000:1000::/var/alice:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
END
cat >/etc/group <<END
root:x:0:
daemon:x:1:
adm:x:4:
tty:x:5:
mail:x:8:
shadow:x:42:
www-data:x:33:
nogroup:x:65534:
alice:x:1000:
END
number=900
for name in sshd ftp proftpd dovecot dovenull postfix postgres mysql redis haproxy mosquitto Debian-exim bind nsd syslog; do
  number=$((number + 1))
  echo "$name:x:$number:$number::/var/empty:/usr/sbin/nologin" >>/etc/passwd
  echo "$name:x:$number:" >>/etc/group
done
echo 'postdrop:x:950:' >>/etc/group
cat >/etc/shadow <<'END'
root:*:19000:0:99999:7:::
alice:$6$bailiff$cWuPPMbE0uo65jLyY7KgXPtyjCxYKMbwvBvkW2XqelcPAVl4fAmENTHNzpXhHud26efWGlWxJvLKW3R3PQHj/0:19000:0:99999:7:::
END
chmod 600 /etc/shadow
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$(uname -n)" >/etc/hosts
: >/etc/resolv.conf
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >/etc/nsswitch.conf
mkdir -p /var/alice /var/empty /var/log
chown alice:alice /var/alice

exec "$@"
