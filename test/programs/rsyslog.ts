// A real syslog daemon between a program and its log.

/** rsyslog, with one file for each of its formats: the old one, ISO stamps, RFC 5424. */
export function rsyslog(folder: string): string {
  return `
cat >${folder}/rsyslog.conf <<'END'
module(load="imuxsock")
*.* action(type="omfile" file="${folder}/old.log" template="RSYSLOG_TraditionalFileFormat")
*.* action(type="omfile" file="${folder}/iso.log" template="RSYSLOG_FileFormat")
*.* action(type="omfile" file="${folder}/5424.log" template="RSYSLOG_SyslogProtocol23Format")
END
rsyslogd -n -f ${folder}/rsyslog.conf -i /run/rsyslogd.pid &
while [ ! -S /dev/log ]; do sleep 0.1; done
`;
}
