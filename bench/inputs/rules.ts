// Six rules for an access log, each said three times: as a condition on fields (ours), as a regex on the whole line (ripgrep),
// and as fail2ban writes it. All three must find the same lines.

export interface Rule {
  readonly name: string;
  /** `where` of our filter. */
  readonly where: object;
  /** From the quote in front of the method on; ripgrep's and, behind the address, fail2ban's. */
  readonly regex: string;
}

export const RULES: readonly Rule[] = [
  {
    name: 'login',
    where: { method: 'POST', path: ['/login', '/wp-login.php'], status: [401, 403] },
    regex: '"POST /(?:login|wp-login\\.php)(?:\\?[^" ]*)? [^"]*" 40[13] ',
  },
  {
    name: 'dotfiles',
    where: { method: 'GET', path: { prefix: ['/.env', '/.git/'] }, status: 404 },
    regex: '"GET /\\.(?:env|git/)[^"]*" 404 ',
  },
  {
    name: 'phpmyadmin',
    where: { method: 'GET', path: { prefix: ['/phpmyadmin/', '/pma/'] }, status: 404 },
    regex: '"GET /(?:phpmyadmin|pma)/[^"]*" 404 ',
  },
  {
    name: 'xmlrpc',
    where: { method: 'POST', path: '/xmlrpc.php', status: [403, 405] },
    regex: '"POST /xmlrpc\\.php(?:\\?[^" ]*)? [^"]*" 40[35] ',
  },
  {
    name: 'cgi',
    where: { method: 'GET', path: { prefix: '/cgi-bin/' }, status: 404 },
    regex: '"GET /cgi-bin/[^"]*" 404 ',
  },
  {
    name: 'phpunit',
    where: { path: { prefix: '/vendor/phpunit/' }, status: 404 },
    regex: '"[A-Z]+ /vendor/phpunit/[^"]*" 404 ',
  },
];

export const MAX_RETRY = 5;
/** Seconds. */
export const FIND_TIME = 600;
/** What the jail that counts everything lets pass within a minute. */
export const PER_MINUTE = 300;
