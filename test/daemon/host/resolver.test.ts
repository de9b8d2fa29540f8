import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createResolver } from '../../../src/daemon/host/resolver.ts';
import type { Answer, Resolver } from '../../../src/daemon/host/resolver.ts';
import { startNameServer } from '../../support/dns-server.ts';
import type { NameServer } from '../../support/dns-server.ts';
import { eventually } from '../../support/run.ts';

let folder: string;
let server: NameServer;
let resolver: Resolver;
/** What mDNS, LDAP and the like know. */
let others: Record<string, string[]>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-names-'));
  server = await startNameServer({});
  others = {};
  const hosts = join(folder, 'hosts');
  writeFileSync(hosts, '');
  resolver = createResolver({
    servers: [server.address],
    hosts,
    lookup: (name) => (others[name] ? Promise.resolve(others[name]) : Promise.reject(new Error('none'))),
  });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const shown = (answer: Answer) => ({
  ...answer,
  4: answer[4]?.map(({ text }) => text),
  6: answer[6]?.map(({ text }) => text),
});
const resolved = async (name: string) => shown(await resolver.resolve(name));

test('both families, for as long as the shorter lived of the records; in the same order however the server turns them', async () => {
  const records = [
    { type: 'A', ttl: 300, address: '192.0.2.10' },
    { type: 'A', ttl: 300, address: '192.0.2.2' },
    { type: 'AAAA', ttl: 120, address: '2001:db8::10' },
  ] as const;
  server.zone = { 'office.example.net': records };
  const expected = {
    ...{ 4: ['192.0.2.10', '192.0.2.2'], 6: ['2001:db8::10'] },
    ...{ ttl: 120_000, why: undefined },
  };
  expect(await resolved('office.example.net')).toEqual(expected);
  server.zone = { 'office.example.net': records.toReversed() };
  expect(await resolved('office.example.net')).toEqual(expected);
});

test('a CNAME is followed, and its own time to live counts', async () => {
  server.zone = {
    'office.example.net': [{ type: 'CNAME', ttl: 40, name: 'dsl.example.org' }],
    'dsl.example.org': [{ type: 'A', ttl: 600, address: '192.0.2.10' }],
  };
  expect(await resolved('office.example.net')).toEqual({
    4: ['192.0.2.10'],
    6: [],
    ttl: 40_000,
    why: undefined,
  });
});

test('what stands in the hosts file wins, and no name server is asked', async () => {
  server.zone = { 'office.example.net': [{ type: 'A', ttl: 60, address: '192.0.2.10' }] };
  writeFileSync(
    join(folder, 'hosts'),
    '127.0.0.1 localhost\n198.51.100.7\tgw Office.Example.net # office.example.org\n2001:db8::7 office.example.net\n',
  );
  expect(await resolved('office.example.net')).toEqual({
    ...{ 4: ['198.51.100.7'], 6: ['2001:db8::7'] },
    ...{ ttl: undefined, why: undefined },
  });
  expect(server.asked).toEqual([]);
  expect(await resolved('office.example.org')).toMatchObject({ why: 'ENOTFOUND' });
});

test('a name that DNS does not know is what other programs find; a .local one is never asked of a name server', async () => {
  others = { 'nas.example.net': ['192.0.2.20'], 'nas.local': ['192.0.2.21', '2001:db8::21'] };
  expect(await resolved('nas.example.net')).toEqual({
    4: ['192.0.2.20'],
    6: [],
    ttl: undefined,
    why: undefined,
  });
  expect(server.asked.toSorted()).toEqual(['A nas.example.net', 'AAAA nas.example.net']);
  expect(await resolved('nas.local')).toMatchObject({ 4: ['192.0.2.21'], 6: ['2001:db8::21'] });
  expect(server.asked).toHaveLength(2);
});

test('what nobody knows is told with the reason, and neither family is', async () => {
  const untold = { 4: undefined, 6: undefined, ttl: undefined };
  expect(await resolved('gone.example.net')).toEqual({ ...untold, why: 'ENOTFOUND' });
  server.zone = { 'office.example.net': [{ type: 'A', ttl: 60, address: '192.0.2.10' }] };
  for (const type of ['A', 'AAAA']) server.failing.add(`${type} office.example.net`);
  expect(await resolved('office.example.net')).toEqual({ ...untold, why: 'ESERVFAIL' });
});

test('where one family can not be told, the other is, and so is the failure', async () => {
  server.zone = { 'office.example.net': [{ type: 'A', ttl: 60, address: '192.0.2.10' }] };
  server.failing.add('AAAA office.example.net');
  expect(await resolved('office.example.net')).toEqual({
    ...{ 4: ['192.0.2.10'], 6: undefined },
    ...{ ttl: 60_000, why: 'ESERVFAIL' },
  });
});

test('questions that nobody answers end when they are called off', async () => {
  for (const type of ['A', 'AAAA']) server.unanswered.add(`${type} office.example.net`);
  const abort = new AbortController();
  const answer = resolver.resolve('office.example.net', abort.signal);
  await eventually('both are asked', () => server.asked.length === 2);
  abort.abort();
  expect(await answer).toMatchObject({ 4: undefined, 6: undefined, why: 'ECANCELLED' });
});
