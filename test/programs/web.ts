// Web servers beside nginx: Apache, lighttpd, HAProxy.
import type { Act, Case } from './case.ts';
import { rsyslog } from './rsyslog.ts';

const GOOD = 'alice:correct-horse';

/** What clients do to the pages below /private/ that want a password, and to the rest. */
async function browse(act: Act): Promise<void> {
  await act.http('attacker', '/private/', { login: 'root:1' });
  await act.http('attacker', '/private/', { login: 'alice:1' });
  await act.http('attacker', '/.env', { headers: { 'User-Agent': 'x" 198.51.100.66 - root' } });
  await act.http('friend', '/private/');
  await act.http('friend', '/private/', { login: GOOD });
  await act.http('friend', '/');
  await act.http('friend', '/favicon.ico');
}

const ACCESS_FILTERS = ['nginx-basic-auth', 'nginx-botsearch', 'nginx-bad-request'];
const ACCESS = ['attacker failed 1 root', 'attacker failed 1 alice', 'attacker failed 1'];

const pages = (folder: string): string => `
mkdir -p ${folder}/pages/private ${folder}/logs
echo served | tee ${folder}/pages/index.html >${folder}/pages/private/index.html
chown -R www-data:www-data ${folder}/logs
`;

const APACHE: Case = {
  name: 'apache',
  packages: ['apache2'],
  ports: [80],
  start: (folder) => `
${pages(folder)}
printf 'alice:{SHA}%s\\n' "$(printf correct-horse | openssl sha1 -binary | openssl base64)" >/run/passwords
chmod 644 /run/passwords
cat >/run/config <<END
ServerRoot /etc/apache2
ServerName www.example.net
PidFile /run/apache.pid
Listen 80
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authn_file_module /usr/lib/apache2/modules/mod_authn_file.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule auth_basic_module /usr/lib/apache2/modules/mod_auth_basic.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
DocumentRoot ${folder}/pages
DirectoryIndex index.html
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog ${folder}/logs/access.log combined
ErrorLog ${folder}/logs/error.log
<Directory ${folder}/pages>
  Require all granted
</Directory>
<Location /private>
  AuthType Basic
  AuthName private
  AuthUserFile /run/passwords
  Require valid-user
</Location>
END
exec apache2 -DFOREGROUND -f /run/config
`,
  play: browse,
  logs: [
    {
      name: 'Apache, combined',
      file: 'logs/access.log',
      filters: ACCESS_FILTERS,
      options: { logFormat: 'combined' },
      expected: ACCESS,
    },
    {
      name: 'Apache, error log',
      file: 'logs/error.log',
      filters: ['apache-auth'],
      expected: ['attacker failed 1 root', 'attacker failed 1 alice'],
    },
  ],
};

const LIGHTTPD: Case = {
  name: 'lighttpd',
  packages: ['lighttpd'],
  ports: [80],
  start: (folder) => `
${pages(folder)}
echo '${GOOD}' >/run/passwords
chmod 644 /run/passwords
cat >/run/config <<END
server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
server.document-root = "${folder}/pages"
index-file.names = ("index.html")
server.port = 80
server.username = "www-data"
server.groupname = "www-data"
server.errorlog = "${folder}/logs/error.log"
accesslog.filename = "${folder}/logs/access.log"
accesslog.format = "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\""
server.max-worker = 0
\\$SERVER["socket"] == "[::]:80" { server.use-ipv6 = "enable" }
auth.backend = "plain"
auth.backend.plain.userfile = "/run/passwords"
auth.require = ("/private" => ("method" => "basic", "realm" => "private", "require" => "valid-user"))
END
exec lighttpd -D -f /run/config
`,
  play: browse,
  // It writes its access log every four seconds.
  quiet: 6_000,
  logs: [
    {
      // Its access log names nobody who was refused: that is in its error log.
      name: 'lighttpd, combined',
      file: 'logs/access.log',
      filters: ACCESS_FILTERS,
      options: { logFormat: 'combined' },
      expected: ['attacker failed 1'],
    },
    {
      name: 'lighttpd, error log',
      file: 'logs/error.log',
      filters: ['lighttpd-auth'],
      expected: ['attacker failed 1 root', 'attacker failed 1 alice'],
    },
  ],
};

const HAPROXY: Case = {
  name: 'haproxy',
  packages: ['haproxy', 'rsyslog'],
  ports: [80],
  start: (folder) => `
${rsyslog(folder)}
cat >/run/config <<END
global
  log /dev/log local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 30s
  timeout server 30s
userlist people
  user alice insecure-password correct-horse
frontend web
  bind 0.0.0.0:80
  bind :::80 v6only
  http-request auth realm private if { path_beg /private } !{ http_auth(people) }
  http-request return status 404 if { path /.env } or { path /favicon.ico }
  http-request return status 200 content-type text/plain string served
END
exec haproxy -db -f /run/config
`,
  play: browse,
  logs: [
    {
      // It can't tell who named nobody: the friend's first request counts as well, as the filter says.
      name: 'HAProxy, syslog',
      file: 'old.log',
      filters: ['haproxy-http-auth'],
      expected: ['attacker failed 1', 'attacker failed 1', 'friend failed 1'],
    },
    {
      name: 'HAProxy, option httplog',
      file: 'iso.log',
      filters: ['nginx-botsearch'],
      options: { logFormat: 'haproxy' },
      expected: ['attacker failed 1'],
    },
  ],
};

export const WEB: readonly Case[] = [APACHE, LIGHTTPD, HAPROXY];
