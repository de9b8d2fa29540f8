// What several rules dropped, together.
import type { Dropped } from './contract.ts';

export function droppedBy(rules: readonly Dropped[]): Dropped {
  return {
    packets: rules.reduce((sum, rule) => sum + rule.packets, 0),
    bytes: rules.reduce((sum, rule) => sum + rule.bytes, 0),
  };
}
