// Data: PostgreSQL, MariaDB, Redis, Mosquitto.
import type { Act, Case, Who } from './case.ts';

/** A message of PostgreSQL's protocol: its type, its length in four bytes, its text. */
function message(type: string, text: string): string {
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length + 4);
  return type + length.toString('latin1') + text;
}

async function postgres(act: Act, who: Who, user: string, password: string, answer: string): Promise<void> {
  const hello = message('', `\0\x03\0\0user\0${user}\0database\0postgres\0\0`);
  await act.talk(
    who,
    5432,
    ['', hello],
    ['R\0\0\0\b\0\0\0\x03', message('p', `${password}\0`)],
    [answer, message('X', '')],
  );
}

const POSTGRESQL: Case = {
  name: 'postgresql',
  packages: ['postgresql-15'],
  ports: [5432],
  start: (folder) => `
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
mkdir -p /run/data /run/postgresql ${folder}/logs
chown postgres:postgres /run/data /run/postgresql ${folder}/logs
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
cd /run/data
echo secret >/run/secret
chmod 644 /run/secret
as "$bin/initdb" -D /run/data/db -U postgres -A password --pwfile /run/secret >/dev/null
cat >>/run/data/db/postgresql.conf <<END
listen_addresses = '*'
logging_collector = on
log_destination = 'stderr,jsonlog'
log_directory = '${folder}/logs'
log_filename = 'server'
log_line_prefix = '%m [%p] %h %q%u@%d '
log_connections = on
log_timezone = 'UTC'
END
cat >/run/data/db/pg_hba.conf <<END
host all nobody all reject
host all all all password
END
exec setpriv --reuid postgres --regid postgres --clear-groups "$bin/postgres" -D /run/data/db
`,
  async play(act) {
    await postgres(act, 'attacker', 'postgres', '1', 'E');
    await postgres(act, 'attacker', 'admin', '1', 'E');
    // Refused before a password is asked for.
    const hello = message('', '\0\x03\0\0user\0nobody\0database\0postgres\0\0');
    await act.talk('attacker', 5432, ['', hello], ['E', '']);
    await postgres(act, 'friend', 'postgres', 'secret', 'R\0\0\0\b\0\0\0\0');
  },
  logs: [
    {
      name: 'PostgreSQL, stderr with the address in its prefix',
      file: 'logs/server',
      filters: ['postgresql'],
      expected: [
        'attacker failed 1 postgres',
        'attacker failed 1 admin',
        'attacker failed 1 nobody',
        'friend got in postgres',
      ],
    },
    {
      name: 'PostgreSQL, jsonlog',
      file: 'logs/server.json',
      filters: ['postgresql-json'],
      expected: [
        'attacker failed 1 postgres',
        'attacker failed 1 admin',
        'attacker failed 1 nobody',
        'friend got in postgres',
      ],
    },
  ],
};

const MARIADB: Case = {
  name: 'mariadb',
  packages: ['mariadb-server', 'mariadb-client'],
  ports: [3306],
  start: (folder) => `
mkdir -p /run/data /run/mysqld /run/tmp ${folder}/logs
chown mysql:mysql /run/data /run/mysqld ${folder}/logs
chmod 1777 /run/tmp
cat >/run/my.cnf <<END
[mariadbd]
user = mysql
datadir = /run/data
tmpdir = /run/tmp
socket = /run/mysqld/mysqld.sock
bind-address = *
log_error = ${folder}/logs/error.log
log_warnings = 2
skip_name_resolve = ON
innodb_buffer_pool_size = 16M
END
mariadb-install-db --defaults-file=/run/my.cnf --user=mysql --skip-test-db --auth-root-authentication-method=normal >/dev/null
echo "create user alice@'%' identified by 'correct-horse';" >/run/init.sql
chmod 644 /run/init.sql
exec mariadbd --defaults-file=/run/my.cnf --init-file=/run/init.sql
`,
  async play(act) {
    const mysql = (who: Who, user: string, password: string) =>
      act.run(
        who,
        `exec mariadb --no-defaults --protocol=tcp -h ${act.server} -u "${user}" -p${password} -e 'select 1'`,
      );
    await mysql('attacker', 'root', '1');
    await mysql('attacker', "x'@'198.51.100.66' (using password: YES)", '1');
    await mysql('attacker', 'alice', '1');
    const { code, stderr } = await mysql('friend', 'alice', 'correct-horse');
    if (code !== 0) throw new Error(`alice doesn't get in: ${stderr}`);
    // Monitoring.
    await act.talk('friend', 3306, ['mysql_native_password', '']);
  },
  logs: [
    {
      name: 'MariaDB, error log',
      file: 'logs/error.log',
      filters: ['mysqld-auth'],
      expected: [
        'attacker failed 1 root',
        "attacker failed 1 x'@'198.51.100.66' (using password: YES)",
        'attacker failed 1 alice',
      ],
    },
  ],
};

const REDIS: Case = {
  name: 'redis',
  packages: ['redis-server'],
  ports: [6379],
  start: (folder) => `
exec redis-server --bind 0.0.0.0 :: --port 6379 --protected-mode no --requirepass correct-horse --save '' \\
  --logfile ${folder}/redis.log --loglevel verbose --dir /run
`,
  async play(act) {
    await act.talk('attacker', 6379, ['', 'AUTH 1\r\n'], ['-WRONGPASS', 'QUIT\r\n'], ['+OK', '']);
    await act.talk('friend', 6379, ['', 'AUTH correct-horse\r\nQUIT\r\n'], ['+OK', '']);
  },
  logs: [
    {
      // It names nobody who fails; then nobody must be counted.
      name: 'Redis before 8, its log',
      file: 'redis.log',
      filters: ['redis'],
      expected: [],
    },
  ],
};

/** MQTT's CONNECT. */
function connect(id: string, user: string, password: string): string {
  const text = (value: string): string => String.fromCharCode(0, value.length) + value;
  const body = `${text('MQTT')}\x04\xc2\0\x3c${text(id)}${text(user)}${text(password)}`;
  return `\x10${String.fromCharCode(body.length)}${body}`;
}

const MOSQUITTO: Case = {
  name: 'mosquitto',
  packages: ['mosquitto'],
  ports: [1883],
  start: (folder) => `
mkdir ${folder}/logs
chown mosquitto:mosquitto ${folder}/logs
: >/run/passwords
mosquitto_passwd -b /run/passwords alice correct-horse
chmod 644 /run/passwords
cat >/run/config <<END
listener 1883
allow_anonymous false
password_file /run/passwords
log_dest file ${folder}/logs/mosquitto.log
log_timestamp_format %Y-%m-%dT%H:%M:%S
END
exec mosquitto -c /run/config
`,
  async play(act) {
    await act.talk('attacker', 1883, ['', connect('a', 'root', '1')], ['\x20\x02\0', '']);
    await act.talk('friend', 1883, ['', connect('b', 'alice', 'correct-horse')], ['\x20\x02\0\0', '\xe0\0']);
  },
  logs: [
    {
      // 2.0.11, Debian's, names no address with a refusal.
      name: 'Mosquitto 2.0, its log',
      file: 'logs/mosquitto.log',
      filters: ['mosquitto'],
      expected: ['friend got in alice'],
    },
  ],
};

export const DATA: readonly Case[] = [POSTGRESQL, MARIADB, REDIS, MOSQUITTO];
