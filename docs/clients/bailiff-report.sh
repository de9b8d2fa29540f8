#!/bin/sh
# Reports to Bailiff from a shell script: needs curl. Copy this file, or call it.
#
#   bailiff-report.sh JAIL ADDRESS failure|success|abuse [NAME=VALUE …]      one report
#   … | bailiff-report.sh JAIL                                               several: ADDRESS OUTCOME [NOTE] a line
#
# Of several, each two hundred are one request. A request without an answer is sent again under the same ids.
# Always ends with 0: what can't be sent is dropped, with a word on standard error, and the calling script goes on.
# BAILIFF_REPORT_SOCK (/run/bailiff/report.sock) and BAILIFF_REPORT_TIMEOUT (seconds, 1) say where, and how long.

socket=${BAILIFF_REPORT_SOCK:-/run/bailiff/report.sock}
batch=200

# A JSON string: bytes that could end it or break the line become harmless.
quote() {
  printf '"%s"' "$(printf '%s' "$1" | LC_ALL=C tr '\000-\037\177' ' ' | LC_ALL=C sed 's/[\\"]/\\&/g')"
}

new_id() {
  if [ -r /proc/sys/kernel/random/uuid ]; then cat /proc/sys/kernel/random/uuid; else echo "$(date +%s).$$.$1"; fi
}

# report JAIL ADDRESS OUTCOME FIELDS: one report as JSON.
report() {
  printf '{"jail":%s,"address":%s,"outcome":%s,"at":%s,"id":%s,"fields":{%s}}' \
    "$(quote "$1")" "$(quote "$2")" "$(quote "$3")" "$(date +%s)" "$(quote "$(new_id "$count")")" "$4"
}

# send JSON,JSON,…
send() {
  said=$(printf '{"reports":[%s]}' "$1" | curl --silent --show-error --unix-socket "$socket" \
    --max-time "${BAILIFF_REPORT_TIMEOUT:-1}" --retry 1 --retry-delay 1 --retry-all-errors --fail-with-body \
    --header 'content-type: application/json' --data-binary @- http://bailiff/v1/reports 2>&1) ||
    complain "not reported: $said"
  case $said in *'"outcome":"refused"'*) complain "refused: $said" ;; esac
}

complain() {
  printf 'bailiff-report: %s\n' "$1" | LC_ALL=C tr -d '\000-\011\013-\037\177' >&2
}

count=0
if [ $# -ge 3 ]; then
  jail=$1 address=$2 outcome=$3 fields=
  shift 3
  for field in "$@"; do
    fields="$fields${fields:+,}$(quote "${field%%=*}"):$(quote "${field#*=}")"
  done
  send "$(report "$jail" "$address" "$outcome" "$fields")"
elif [ $# -eq 1 ]; then
  reports=
  while read -r address outcome note || [ -n "$address" ]; do
    [ -n "$address" ] || continue
    count=$((count + 1))
    reports="$reports${reports:+,}$(report "$1" "$address" "$outcome" "${note:+\"note\":$(quote "$note")}")"
    if [ $((count % batch)) -eq 0 ]; then
      send "$reports"
      reports=
    fi
  done
  [ -z "$reports" ] || send "$reports"
else
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
fi
exit 0
