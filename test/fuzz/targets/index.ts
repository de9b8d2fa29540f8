// Every target there is. Each is loaded when it is asked for: the less there is, the quicker a look at the counters.
import type { Target } from '../target.ts';

const files = () => import('./files.ts');
const lines = () => import('./lines.ts');
const origins = () => import('./origins.ts');
const programs = () => import('./programs.ts');
const records = () => import('./records.ts');
const requests = () => import('./requests.ts');

export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  addresses: async () => (await origins()).addressesTarget(),
  forwarded: async () => (await origins()).forwardedTarget(),
  paths: async () => (await origins()).pathsTarget(),
  stamps: async () => (await origins()).stampsTarget(),
  text: async () => (await origins()).textTarget(),
  containers: async () => (await records()).containersTarget(),
  escapes: async () => (await records()).escapesTarget(),
  json: async () => (await records()).jsonTarget(),
  logfmt: async () => (await records()).logfmtTarget(),
  ipset: async () => (await programs()).ipsetTarget(),
  journal: async () => (await programs()).journalTarget(),
  nft: async () => (await programs()).nftTarget(),
  forgeries: async () => (await lines()).forgeriesTarget(),
  formats: async () => (await lines()).formatsTarget(),
  patterns: async () => (await lines()).patternsTarget(),
  scan: async () => (await lines()).scanTarget(),
  config: async () => (await files()).configTarget(),
  lists: async () => (await files()).listsTarget(),
  yaml: async () => (await files()).yamlTarget(),
  bodies: async () => (await requests()).bodiesTarget(),
  http: async () => (await requests()).httpTarget(),
};
