#!/bin/sh
# Stands in for Docker on a host of the docs test, which has none: it does what the options of the guide say, by namespaces,
# mounts and a capability set, and refuses options that it doesn't know. It builds no image: a container has this host's
# programs, and in /opt/bailiff the clone. docker run|exec|logs|kill|stop|start|rm
set -eu
home=/run/docker
fail() { echo "docker: $*" >&2; exit 125; }

verb=$1
shift
name=
bounds=-all
groups=0
rootfs=rw
mounts=

if [ "$verb" = run ]; then
  network=
  while [ $# -gt 0 ]; do
    case "$1 ${2:-}" in
      '--detach '* | '--restart unless-stopped' | '--security-opt no-new-privileges') ;;
      '--name '*) name=$2 ;;
      '--network host') network=host ;;
      '--cap-drop ALL') ;;
      '--cap-add '*) bounds="$bounds,+$(echo "$2" | tr A-Z a-z)" ;;
      '--group-add '*) groups=$groups,$2 ;;
      '--read-only '*) rootfs=ro ;;
      '--tmpfs '* | '--volume '*) mounts="$mounts ${1#--}=$2" ;;
      --*) fail "the option $1 is not known here" ;;
      *) break ;;
    esac
    case $1 in --detach | --read-only) shift ;; *) shift 2 ;; esac
  done
  [ "$network" = host ] || fail 'only --network host is known here'
  [ "$*" = bailiff ] || fail "no image $*"
  mkdir -p "$home/$name"
  printf '%s\n' "bounds=$bounds groups=$groups rootfs=$rootfs mounts='$mounts'" >"$home/$name/spec"
  verb=start
else
  name=$1
  shift
fi

here=$home/$name
[ -f "$here/spec" ] || fail "no container $name"
. "$here/spec"
first() { cat "/proc/$(cat "$here/pid")/task/$(cat "$here/pid")/children" 2>/dev/null | tr -d ' '; }
# [enter=…] become PROGRAM…: root in the container, without privileges but for those that were added
enter=
become() {
  exec $enter chroot "$here/root" /usr/bin/env -i PATH=/opt/bailiff/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm \
    setpriv --reuid=0 --regid=0 --groups="$groups" --inh-caps="$bounds" --bounding-set="$bounds" --no-new-privs "$@"
}

case $verb in
  start)
    unshare --mount --propagation private --pid --fork --kill-child sh "$0" inside "$name" >>"$here/log" 2>&1 </dev/null &
    echo $! >"$here/pid"
    ;;
  inside)
    root=$here/root
    modules=$(readlink -f /root/bailiff/node_modules/better-sqlite3)
    modules=${modules%/better-sqlite3}
    mkdir -p "$root"
    mount -t tmpfs tmpfs "$root"
    mkdir -p "$root/usr" "$root/etc" "$root/opt/bailiff" "$root/proc" "$root/dev" "$root/tmp" "$root/root" "$root$modules"
    for folder in bin sbin lib lib64; do if [ -h "/$folder" ]; then ln -s "usr/$folder" "$root/$folder"; fi; done
    cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$root/etc/"
    mount --bind -o ro /usr "$root/usr"
    mount --bind -o ro /root/bailiff "$root/opt/bailiff"
    mount --bind -o ro "$modules" "$root$modules"
    mount -t proc proc "$root/proc"
    for device in null zero urandom; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
    for each in $mounts; do
      IFS=: read -r from to mode <<END
${each#*=}
END
      case $each in
        tmpfs=*) mkdir -p "$root$from"; mount -t tmpfs tmpfs "$root$from" ;;
        volume=/*) mkdir -p "$root$to"; mount --bind -o "${mode:-rw}" "$from" "$root$to" ;;
        *) mkdir -p "$home/volumes/$from" "$root$to"; mount --bind "$home/volumes/$from" "$root$to" ;;
      esac
    done
    mount -o "remount,$rootfs" "$root"
    become bailiff run
    ;;
  exec) enter="nsenter --target $(first) --mount --pid"; become "$@" ;;
  logs) cat "$here/log" ;;
  kill) kill -KILL "$(first)" ;;
  stop) kill -TERM "$(first)"; while [ -n "$(first)" ]; do sleep 0.1; done ;;
  rm) rm -f "$here/spec" ;;
  *) fail "the verb $verb is not known here" ;;
esac
