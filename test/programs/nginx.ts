// nginx: each request is logged in five formats at once, so each of the logs must yield the same.
import { fileURLToPath } from 'node:url';
import { parseNetwork } from '../../src/address.ts';
import { GOOD_LOGIN } from '../support/nginx.ts';
import type { Act, Case } from './case.ts';

const CUSTOM =
  '$host $request_time $remote_addr "$remote_user" "$request" $status "$http_user_agent" [$time_local]';
const JSON_FORMAT =
  '{"at":"$time_iso8601","ip":"$remote_addr","user":"$remote_user","request":"$request","status":$status,"agent":"$http_user_agent"}';
const FORWARDED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';

/** A name that makes itself out to be the end of one record and the start of another. */
const FORGED_NAME = 'x" 401 "-" "-" 198.51.100.66 - root "';

const FILTERS = ['nginx-login', 'nginx-basic-auth', 'nginx-bad-request', 'nginx-botsearch'];

const EXPECTED = [
  'attacker failed 1 root',
  'attacker failed 1 root',
  'attacker failed 1 ops',
  // POST /login without a name.
  'attacker failed 1',
  `attacker failed 1 ${FORGED_NAME}`,
  // /.env and //%70hpmyadmin/
  'attacker failed 1',
  'attacker failed 1',
];
/** TLS and nothing that makes sense, on a connection of its own: there is no proxy in between that would take it. */
const BAD_REQUESTS = ['attacker failed 1', 'attacker failed 1'];

export const NGINX: Case = {
  name: 'nginx',
  packages: ['nginx-light'],
  ports: [80, 81],
  start: (folder) => `
cat >${folder}/nginx.conf <<'END'
${configuration(folder)}
END
printf '%s\\n' '${GOOD_LOGIN.replace(':', ':{PLAIN}')}' >${folder}/passwords
mkdir ${folder}/temp
${process.execPath} ${fileURLToPath(new URL('syslog.ts', import.meta.url))} 5514 ${folder}/syslog &
# 158A is 5514.
until grep -q ':158A ' /proc/net/udp; do sleep 0.05; done
exec nginx -p ${folder} -c ${folder}/nginx.conf -e ${folder}/start.log
`,
  async play(act) {
    await guess(act, '');
    await act.talk('attacker', 80, ['', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'], ['400', '']);
    await act.talk('attacker', 80, ['', 'SSH-2.0-Go\r\n'], ['400', '']);
    // A browser whose cookie has grown too long is no scanner.
    const cookie = `Cookie: ${'x'.repeat(40_000)}\r\n`;
    await act.talk(
      'friend',
      80,
      ['', `GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla\r\n${cookie}\r\n`],
      ['400', ''],
    );
    await act.http('attacker', '/scarce');
    await act.http('attacker', '/scarce');
    await act.http('friend', '/scarce');

    await guess(act, ':81');
  },
  logs: [
    log('nginx, combined', 'combined.log', 'combined'),
    log('nginx, an order of our own', 'custom.log', CUSTOM),
    log('nginx, escape=json', 'json.log', `escape=json ${JSON_FORMAT}`),
    log('nginx, combined through syslog', 'syslog', 'combined'),
    {
      ...log('nginx behind a proxy, with X-Forwarded-For', 'forwarded.log', FORWARDED),
      options: {
        logFormat: FORWARDED,
        trustedProxies: ['192.0.2.1/32', '2001:db8:5e::1/128'].map((text) => parseNetwork(text)!.network),
      },
      expected: EXPECTED,
    },
    {
      name: 'nginx, error log',
      file: 'error.log',
      filters: ['nginx-auth', 'nginx-limit-req'],
      expected: [
        'attacker failed 1 root',
        'attacker failed 1 root',
        'attacker failed 1 ops',
        `attacker failed 1 ${FORGED_NAME}`,
        // /scarce, the second time.
        'attacker failed 1',
      ],
    },
  ],
};

function log(name: string, file: string, logFormat: string): Case['logs'][number] {
  return { name, file, filters: FILTERS, options: { logFormat }, expected: [...EXPECTED, ...BAD_REQUESTS] };
}

/** What HTTP clients do, guessing and not; `port` is `:81` for the server behind the proxy. */
async function guess(act: Act, port: string): Promise<void> {
  const path = (rest: string) => `${port}${rest}`;
  const post = { method: 'POST' };
  await act.http('attacker', path('/login'), { ...post, login: 'root:1' });
  await act.http('attacker', path('/login'), { ...post, login: 'root:2', headers: FORGED_HEADERS });
  await act.http('attacker', path('/private'), { login: 'ops:wrong' });
  await act.http('attacker', path('/login'), post);
  await act.http('attacker', path('/private'), { headers: { Authorization: basic(FORGED_NAME) } });
  await act.http('attacker', path('/.env'));
  await act.http('attacker', path('//%70hpmyadmin/'));

  await act.http('friend', path('/private'));
  await act.http('friend', path('/private'), { login: GOOD_LOGIN });
  await act.http('friend', path('/login'), { ...post, login: GOOD_LOGIN });
  await act.http('friend', path('/favicon.ico'));
  await act.http('friend', path('/'));
}

/** Headers that name somebody else. */
const FORGED_HEADERS = {
  'X-Forwarded-For': '198.51.100.66',
  'User-Agent': '198.51.100.66 - root [01/Jan/2026:00:00:00 +0000] "POST /login HTTP/1.1" 401 0',
};

function basic(name: string): string {
  return `Basic ${Buffer.from(`${name}:x`).toString('base64')}`;
}

function configuration(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // One process that forks nothing.
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events {}
http {
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/temp/${kind};`).join('\n  ')}
  log_format custom '${CUSTOM}';
  log_format json escape=json '${JSON_FORMAT}';
  log_format forwarded '${FORWARDED}';
  limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;
  error_log ${folder}/error.log;
  server {
    listen 80;
    listen [::]:80 ipv6only=on;
    access_log ${folder}/combined.log combined;
    access_log ${folder}/custom.log custom;
    access_log ${folder}/json.log json;
    access_log syslog:server=127.0.0.1:5514,tag=nginx combined;
    ${locations(folder)}
    location = /scarce { limit_req zone=few; proxy_pass http://unix:${folder}/inner.sock:/; }
  }
  # The proxy, and what is behind it.
  server {
    listen 81;
    listen [::]:81 ipv6only=on;
    access_log off;
    error_log /dev/null;
    merge_slashes off;
    location / {
      proxy_pass http://192.0.2.1:82;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
  server {
    listen 82;
    access_log ${folder}/forwarded.log forwarded;
    error_log /dev/null;
    ${locations(folder)}
  }
  # 'return' would answer before the password is asked for.
  server {
    listen unix:${folder}/inner.sock;
    access_log off;
    location / { return 200 "welcome\\n"; }
  }
}
`;
}

function locations(folder: string): string {
  const guarded = `
      auth_basic "guarded";
      auth_basic_user_file ${folder}/passwords;
      proxy_pass http://unix:${folder}/inner.sock:/;`;
  return `
    location / { return 404; }
    location = / { return 200 "served\\n"; }
    location = /login {${guarded}
    }
    location = /private {${guarded}
    }`;
}
