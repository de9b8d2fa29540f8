// A small name server over UDP: what a test says that names stand for, and who asked for what. Formats of RFC 1035.
import { createSocket } from 'node:dgram';
import { parseAddress } from '../../src/address.ts';

export type Resource =
  | { readonly type: 'A' | 'AAAA'; readonly ttl: number; readonly address: string }
  | {
      readonly type: 'CNAME';
      readonly ttl: number;
      readonly name: string;
    };

export type Zone = Readonly<Record<string, readonly Resource[]>>;

export interface NameServer {
  /** `address:port`, as Node's `setServers` takes it. */
  readonly address: string;
  zone: Zone;
  /** Questions so far, `A office.example.net` each. */
  readonly asked: string[];
  /** Questions, written so, that it can't answer, and says so. */
  readonly failing: Set<string>;
  /** Questions, written so, that it never answers. */
  readonly unanswered: Set<string>;
  close(): Promise<void>;
}

const TYPE = { A: 1, CNAME: 5, AAAA: 28 } as const;
const SERVFAIL = 2;
const NXDOMAIN = 3;

export async function startNameServer(zone: Zone, port = 0, host = '127.0.0.1'): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const failing = new Set<string>();
  const unanswered = new Set<string>();
  const server: NameServer = {
    get address() {
      return `${host}:${socket.address().port}`;
    },
    zone,
    asked,
    failing,
    unanswered,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
  socket.on('message', (query, from) => {
    const { name, type, end } = question(query);
    const written = `${Object.entries(TYPE).find(([, number]) => number === type)?.[0] ?? type} ${name}`;
    asked.push(written);
    if (unanswered.has(written)) return;
    const answer = failing.has(written) ? { code: SERVFAIL, records: [] } : answerTo(server.zone, name, type);
    socket.send(message(query.subarray(0, end), answer), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, host, resolve));
  return server;
}

interface Reply {
  readonly code: number;
  readonly records: readonly { readonly owner: string; readonly resource: Resource }[];
}

function answerTo(zone: Zone, name: string, type: number): Reply {
  const records: { owner: string; resource: Resource }[] = [];
  for (let owner = name, hops = 0; hops < 8; hops++) {
    const entry = zone[owner];
    if (!entry) return { code: records.length > 0 ? 0 : NXDOMAIN, records };
    for (const resource of entry)
      if (resource.type === 'CNAME' || TYPE[resource.type] === type) records.push({ owner, resource });
    const alias = entry.find((resource) => resource.type === 'CNAME');
    if (!alias) break;
    owner = alias.name;
  }
  return { code: 0, records };
}

function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  while (query[at]! > 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!).toLowerCase());
    at += 1 + query[at]!;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** The query's header and question, turned into an answer. */
function message(query: Buffer, { code, records }: Reply): Buffer {
  const head = Buffer.from(query);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  return Buffer.concat([head, ...records.map(({ owner, resource }) => record(owner, resource))]);
}

function record(owner: string, resource: Resource): Buffer {
  const data =
    resource.type === 'CNAME'
      ? encoded(resource.name)
      : Buffer.from(parseAddress(resource.address)!.bytes, 'latin1');
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(TYPE[resource.type], 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(resource.ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encoded(owner), fixed, data]);
}

function encoded(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([...labels, Buffer.of(0)]);
}

// `node dns-server.ts ZONE`: the same as a program, for a namespace; on port 53, with the zone as JSON.
if (import.meta.main) {
  await startNameServer(JSON.parse(process.argv[2]!) as Zone, 53);
  process.stdout.write('ready\n');
}
