// Which of our filters stand against which of fail2ban's sample logs, and how they are set.
import type { Options } from './expectations.ts';

export type Mode = 'normal' | 'aggressive';

export interface Service {
  /** Ours; together, as one jail has them. */
  readonly filters: readonly string[];
  /** For access logs: nginx's `log_format`; default: combined. */
  readonly logFormat?: string;
  /** Whose forwarding header is believed, where the host of the sample had proxies in front of it. */
  readonly trustedProxies?: readonly string[];
  /** For stamps that name none; default: where fail2ban's tests take place. */
  readonly zone?: string;
  /**
   * Which mode of ours stands for one of fail2ban's; `default` where its options name none. Lines that it reads only in
   * modes that are not here are left out.
   */
  readonly modes?: Readonly<Record<string, Mode>>;
  /** Which lines are left out besides, by the options under which they are read: kinds of logs that the filter isn't for. */
  readonly without?: (options: Options) => boolean;
  /** What tells the lines of one attempt from those of others; default: the pid in the syslog tag. */
  readonly process?: RegExp;
}

export const MODES: Readonly<Record<string, Mode>> = {
  default: 'normal',
  normal: 'normal',
  aggressive: 'aggressive',
};
export const PID = /^[^\]]*?[\w.-]\[(\d{1,10})\]/;

/** Where fail2ban has one mode only, and counts in it what ours counts in mode aggressive. */
const AS_AGGRESSIVE = { ...MODES, default: 'aggressive' } as const;

/**
 * By the name of the sample log. A sample log holds whatever its service writes, to files, through syslog or to a journal:
 * so all filters for that service stand together, where a jail would have the one for its log.
 */
export const SERVICES: Readonly<Record<string, Service>> = {
  '3proxy': { filters: ['3proxy'], modes: AS_AGGRESSIVE },
  'apache-auth': { filters: ['apache-auth'] },
  'apache-badbots': { filters: ['apache-badbots'] },
  'apache-botsearch': { filters: ['apache-botsearch'] },
  'apache-modsecurity': { filters: ['apache-modsecurity'] },
  'apache-nohome': { filters: ['apache-nohome'] },
  'apache-noscript': { filters: ['apache-noscript'] },
  'apache-overflows': { filters: ['apache-overflows'] },
  'apache-shellshock': { filters: ['apache-shellshock'] },
  asterisk: { filters: ['asterisk', 'asterisk-security', 'asterisk-syslog'] },
  bitwarden: { filters: ['bitwarden'] },
  centreon: { filters: ['centreon'] },
  'courier-auth': { filters: ['courier-auth'] },
  'courier-smtp': { filters: ['courier-smtp'] },
  'cyrus-imap': { filters: ['cyrus-imap'] },
  directadmin: { filters: ['directadmin'] },
  'domino-smtp': { filters: ['domino-smtp'], modes: AS_AGGRESSIVE },
  dovecot: { filters: ['dovecot', 'dovecot-auth'] },
  dropbear: { filters: ['dropbear'] },
  'drupal-auth': { filters: ['drupal-auth'] },
  'ejabberd-auth': { filters: ['ejabberd'] },
  exim: { filters: ['exim', 'exim-rejects'] },
  // What it does by default takes in both of its modes.
  freeswitch: { filters: ['freeswitch'], modes: { default: 'aggressive', normal: 'normal' } },
  'froxlor-auth': { filters: ['froxlor-auth'] },
  gitlab: { filters: ['gitlab'] },
  grafana: { filters: ['grafana'] },
  groupoffice: { filters: ['groupoffice'] },
  guacamole: { filters: ['guacamole'] },
  'haproxy-http-auth': { filters: ['haproxy-http-auth'] },
  horde: { filters: ['horde'] },
  'lighttpd-auth': { filters: ['lighttpd-auth'] },
  'mongodb-auth': { filters: ['mongodb-text'], process: /\[(conn\d+)\]/ },
  monit: { filters: ['monit', 'monit-syslog'] },
  'mssql-auth': { filters: ['mssql-auth'] },
  murmur: { filters: ['murmur', 'murmur-syslog'] },
  'mysqld-auth': { filters: ['mysqld-auth'] },
  nagios: { filters: ['nagios'] },
  'named-refused': { filters: ['named-refused', 'named-refused-file'] },
  'nginx-bad-request': { filters: ['nginx-bad-request'] },
  'nginx-botsearch': { filters: ['nginx-botsearch', 'nginx-botsearch-error'] },
  'nginx-http-auth': { filters: ['nginx-auth'], modes: { ...MODES, auth: 'normal', fallback: 'aggressive' } },
  'nginx-limit-req': { filters: ['nginx-limit-req'] },
  nsd: { filters: ['nsd', 'nsd-file'], modes: AS_AGGRESSIVE },
  openhab: { filters: ['openhab'] },
  'pam-generic': { filters: ['pam-generic'] },
  perdition: { filters: ['perdition'] },
  'php-url-fopen': { filters: ['php-url-fopen'] },
  'phpmyadmin-syslog': { filters: ['phpmyadmin-syslog'] },
  portsentry: { filters: ['portsentry', 'portsentry-syslog'] },
  postfix: { filters: ['postfix', 'postfix-rejects'] },
  proftpd: { filters: ['proftpd', 'proftpd-syslog'] },
  'pure-ftpd': { filters: ['pure-ftpd'] },
  qmail: { filters: ['qmail'] },
  'roundcube-auth': { filters: ['roundcube-auth'] },
  scanlogd: { filters: ['scanlogd'] },
  'sendmail-auth': { filters: ['sendmail-auth'] },
  'sendmail-reject': { filters: ['sendmail-reject'], modes: { ...MODES, extra: 'aggressive' } },
  sieve: { filters: ['sieve'] },
  softethervpn: { filters: ['softethervpn'] },
  // One line is of a host with a second proxy in front of the web server.
  'sogo-auth': { filters: ['sogo-auth'], trustedProxies: ['10.0.0.1'] },
  slapd: { filters: ['slapd'] },
  'solid-pop3d': { filters: ['solid-pop3d'] },
  squirrelmail: { filters: ['squirrelmail'] },
  sshd: { filters: ['sshd'] },
  stunnel: { filters: ['stunnel'], modes: AS_AGGRESSIVE },
  suhosin: { filters: ['suhosin'], modes: AS_AGGRESSIVE },
  tine20: { filters: ['tine20'] },
  'traefik-auth': { filters: ['traefik-auth'] },
  'uwimap-auth': { filters: ['uwimap-auth'] },
  vsftpd: { filters: ['vsftpd', 'vsftpd-syslog', 'pam-generic'] },
  'webmin-auth': { filters: ['webmin'] },
  'znc-adminlog': { filters: ['znc-adminlog'] },
  zoneminder: { filters: ['zoneminder'] },
};
