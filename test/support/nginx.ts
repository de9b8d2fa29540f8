// A real nginx in a namespace, with a log-in that knows one password.
import { watch, mkdirSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './namespaces.ts';
import { program } from './programs.ts';
import { ended } from './run.ts';

export const GOOD_LOGIN = 'ops:correct-horse';

export interface NginxOptions {
  /** More directives for the server block. */
  server?: string;
  /** A `log_format` string for the access log; nginx's own `combined` unless given. */
  logFormat?: string;
}

export interface Nginx {
  readonly pid: number;
  readonly accessLog: string;
  readonly errorLog: string;
  /** Makes nginx open its logs anew (SIGUSR1), as a rotation does; returns before it has. */
  reopenLogs(): void;
  stop(): Promise<void>;
}

/**
 * Starts nginx in the namespace and waits until it listens on port 80, IPv4 and IPv6. `/` answers 200 to everyone;
 * `/login` answers 401 to anything but {@link GOOD_LOGIN}. Everything it writes lies in `folder`.
 */
export async function startNginx(host: Host, folder: string, options: NginxOptions = {}): Promise<Nginx> {
  const file = (name: string) => join(folder, name);
  mkdirSync(file('temp'), { recursive: true });
  writeFileSync(file('passwords'), GOOD_LOGIN.replace(':', ':{PLAIN}') + '\n');
  writeFileSync(file('nginx.conf'), configuration(folder, options));

  // The pid file appears after the sockets listen: whoever has seen it can connect.
  const pidFile = file('nginx.pid');
  const watcher = watch(folder);
  const listens = new Promise<void>((resolve) =>
    watcher.on('change', () => existsSync(pidFile) && resolve()),
  );
  const child = host.spawn(program('nginx'), [
    '-p',
    folder,
    '-c',
    file('nginx.conf'),
    '-e',
    file('error.log'),
  ]);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const died = ended(child).then(({ code }) => {
    throw new Error(`nginx ended with ${code}: ${said}`);
  });
  try {
    await Promise.race([listens, died]);
  } finally {
    watcher.close();
    died.catch(() => {});
  }
  return {
    pid: child.pid!,
    accessLog: file('access.log'),
    errorLog: file('error.log'),
    reopenLogs: () => void child.kill('SIGUSR1'),
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}

function configuration(folder: string, options: NginxOptions): string {
  // One process that forks nothing: whoever ends it, even by SIGKILL, has ended all of it.
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 512; }
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/temp/${kind};`).join('\n  ')}
  ${options.logFormat === undefined ? '' : `log_format custom '${options.logFormat}';`}
  access_log ${folder}/access.log ${options.logFormat === undefined ? 'combined' : 'custom'};
  error_log ${folder}/error.log;
  keepalive_timeout 600s;
  server {
    listen 80 backlog=512;
    listen [::]:80 ipv6only=on;
    location / { return 200 "served\\n"; }
    location = /login {
      auth_basic "demo";
      auth_basic_user_file ${folder}/passwords;
      proxy_pass http://unix:${folder}/inner.sock:/;
    }
    ${options.server ?? ''}
  }
  # 'return' would answer before the password is asked for: what lies behind the log-in is a server of its own.
  server {
    listen unix:${folder}/inner.sock;
    access_log off;
    location / { return 200 "welcome\\n"; }
  }
}
`;
}
