// A host without addresses, which nothing happens to and which knows no names.
import type { Host } from '../../src/daemon/index.ts';

export const lonelyHost: Host = {
  protectedNetworks: () => [],
  watch: () => () => {},
  resolver: { resolve: async () => ({ 4: [], 6: [], ttl: undefined, why: undefined }) },
};
