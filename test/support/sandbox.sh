#!/bin/sh
# Builds in a mount namespace of its own, which the caller has made, the file system that a unit describes, below a folder
# that holds etc, opt, var and usr/local of a small host; then becomes the unit's user there and runs a program.
# What is mounted here is gone with the namespace. Called by sandbox.ts, which fills in the words from the unit.
#
# sandbox.sh ROOT MODULES WRITABLE USER CAPS UMASK FILTER -- PROGRAM ARGUMENTS…
#   MODULES   becomes /opt/bailiff/node_modules
#   WRITABLE  folders that stay writable, separated by blanks; all else is read-only
#   FILTER    a file with a seccomp program in Perl's hands, see seccomp.pl
set -eu
root=$1 modules=$2 writable=$3 user=$4 capabilities=$5 mask=$6 filter=$7
shift 8

mount --make-rprivate /
mount --bind "$root" "$root"
for folder in usr opt/bailiff/node_modules proc sys dev tmp run home root; do mkdir -p "$root/$folder"; done
mount --rbind "$root/usr/local" "$root/opt/local"
mount --rbind /usr "$root/usr"
mount --bind "$root/opt/local" "$root/usr/local"
for folder in bin sbin lib lib64; do
  if [ -h "/$folder" ]; then ln -sfn "usr/$folder" "$root/$folder"
  elif [ -d "/$folder" ]; then mkdir -p "$root/$folder"; mount --rbind "/$folder" "$root/$folder"; fi
done
mount --bind "$modules" "$root/opt/bailiff/node_modules"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
# PrivateDevices, PrivateTmp
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mount -t tmpfs tmpfs "$root/tmp"
# ProtectSystem=strict, ProtectKernelTunables: what is writable is so by a mount of its own.
for folder in $writable; do mount --bind "$root$folder" "$root$folder"; done
awk -v root="$root" '$5 == root || index($5, root "/") == 1 { print $5 }' /proc/self/mountinfo | sort -u |
  while read -r place; do
    case " $writable /tmp /proc " in *" ${place#"$root"} "*) continue ;; esac
    mount -o remount,bind,ro "$place"
  done
mount -o bind,ro "$root/proc/sys" "$root/proc/sys"

umask "$mask"
# Its own privileges, and none to come.
exec chroot "$root" /usr/bin/setpriv --reuid="$user" --regid="$user" --init-groups \
  --inh-caps="$capabilities" --ambient-caps="$capabilities" --bounding-set="$capabilities" --no-new-privs \
  /usr/bin/perl "$filter" "$@"
