#!/bin/sh
# The file system of a newcomer's host, in a mount namespace that the caller has made: this machine's, but what is written
# below the usual folders goes away with it, and its nginx is as Debian ships it, with one site that is nobody's.
# sh stand.sh FOLDER: an empty folder for what is written
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
for place in etc var root opt usr/local; do
  mkdir -p "$1/upper/$place" "$1/spare/$place"
  mount -t overlay overlay -o "lowerdir=/$place,upperdir=$1/upper/$place,workdir=$1/spare/$place" "/$place"
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /srv
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /var/log/nginx /etc/nginx/conf.d /etc/nginx/sites-enabled
install -o www-data -g adm -m 640 /dev/null /var/log/nginx/access.log
install -o www-data -g adm -m 640 /dev/null /var/log/nginx/error.log
rm -rf /etc/nginx/conf.d/* /etc/nginx/sites-enabled/* /etc/bailiff /var/lib/bailiff
cat >/etc/nginx/sites-enabled/default <<'SITE'
server { listen 80 default_server; listen [::]:80 default_server; root /var/www/html; }
SITE
install -m 755 "$(dirname "$0")/docker.sh" /usr/local/bin/docker
echo ready
# The first process of a host takes in those that nobody waits for.
sleep infinity &
wait
