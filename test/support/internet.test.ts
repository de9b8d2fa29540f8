// The laboratory itself: what the end-to-end tests stand on.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepConnection, request, type KeptConnection } from './http.ts';
import { temporaryFolder, type TemporaryFolder } from './leftovers.ts';
import { createInternet, type Internet } from './namespaces.ts';
import { GOOD_LOGIN, startNginx, type Nginx } from './nginx.ts';
import { needs, program } from './programs.ts';
import { readFileSync } from 'node:fs';

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'curl',
)('a small Internet', () => {
  let folder: TemporaryFolder;
  let internet: Internet<'left' | 'right'>;
  let nginx: Nginx;
  let kept: KeptConnection | undefined;

  beforeAll(async () => {
    folder = temporaryFolder('internet');
    internet = await createInternet('left', 'right');
    nginx = await startNginx(internet.server, folder.path);
  });
  afterAll(async () => {
    await kept?.close();
    await nginx.stop();
    await internet.remove();
    folder.remove();
  });

  it('serves each client under its own address, IPv4 and IPv6', async () => {
    const { server, clients } = internet;
    for (const client of [clients.left, clients.right]) {
      expect(await request(client, `http://${server.ipv4}/`)).toMatchObject({ status: 200 });
      expect(await request(client, `http://[${server.ipv6}]/`)).toMatchObject({ status: 200 });
      const seen = readFileSync(nginx.accessLog, 'utf8');
      expect(seen).toContain(`${client.ipv4} - - [`);
      expect(seen).toContain(`${client.ipv6} - - [`);
    }
  });

  it('answers 401 to a wrong password and 200 to the right one', async () => {
    const url = `http://${internet.server.ipv4}/login`;
    const post = (login: string) => request(internet.clients.left, url, { method: 'POST', login });
    expect(await post('ops:wrong')).toMatchObject({ status: 401 });
    expect(await post(GOOD_LOGIN)).toMatchObject({ status: 200, body: 'welcome\n' });
  });

  it('gives a client more addresses, which nginx sees', async () => {
    const { server, clients } = internet;
    for (const [address, url] of [
      ['203.0.113.200', `http://${server.ipv4}/`],
      ['2001:db8:aa::1', `http://[${server.ipv6}]/`],
    ] as const) {
      await clients.left.addAddress(address);
      await clients.left.runOk(program('curl'), ['--silent', '--globoff', '--interface', address, url]);
      expect(readFileSync(nginx.accessLog, 'utf8')).toContain(`${address} - - [`);
    }
  });

  it('tells a kept connection that goes silent from one that is answered', async () => {
    const { server, clients } = internet;
    kept = await keepConnection(clients.right, server.ipv4);
    expect(await kept.get('/')).toMatchObject({ outcome: 'answered', status: 200 });
    await server.runOk(program('nft'), ['-f', '-'], {
      input: `table inet lab { chain in { type filter hook prerouting priority raw;
        ip saddr ${clients.right.ipv4} drop; }; }`,
    });
    expect(await kept.get('/', 300)).toEqual({ outcome: 'silence' });
    expect(await request(clients.right, `http://${server.ipv4}/`, { patience: 300 })).toEqual({
      outcome: 'silence',
    });
    expect(await request(clients.left, `http://${server.ipv4}/`)).toMatchObject({ status: 200 });
  });
});
