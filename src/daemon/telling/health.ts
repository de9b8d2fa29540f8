// Does what should work, work? For monitoring, and the first line of status. Pure.
import type { JailView, SourceView, StatusView } from '../../api/contract.ts';
import type { Instant } from '../../model.ts';
import { isProblem } from './remedies.ts';

/** A log that is followed and this far behind is not kept up with. */
const FAR_BEHIND = 16 * 1024 * 1024;

export interface Vitals {
  readonly mode: StatusView['mode'];
  readonly intent: 'enforcing' | 'detect-only';
  /** What the firewall said last, while it fails. */
  readonly firewallFault: string | undefined;
  readonly faults: readonly { code: string; message: string; since: Instant; last?: Instant }[];
  readonly sources: readonly (Pick<SourceView, 'id' | 'state' | 'lag'> & {
    readonly faults: readonly { code: string; message: string; since: Instant; last?: Instant }[];
  })[];
  readonly jails: readonly Pick<JailView, 'name' | 'state'>[];
}

export function healthOf(vitals: Vitals, now: Instant): NonNullable<StatusView['health']> {
  const { mode, intent, firewallFault, faults, sources, jails } = vitals;
  const problems: string[] = [];
  if (intent === 'enforcing' && mode === 'detect-only')
    problems.push(`Nobody is blocked: ${firewallFault ?? 'the firewall was never reached'}`);
  else if (mode === 'stood-down')
    problems.push('Nobody is blocked: it was stood down by "bailiff teardown".');
  else if (firewallFault !== undefined) problems.push(`New bans do not reach the kernel: ${firewallFault}`);
  for (const { name, state } of jails)
    if (state === 'tripped') problems.push(`The jail ${name} has tripped: it only detects.`);
  // That a jail has tripped is said of each of them already.
  for (const fault of faults)
    if (fault.code !== 'W_BRAKE_TRIPPED' && isProblem(fault, now)) problems.push(fault.message);
  for (const source of sources) {
    if (source.state === 'failed') problems.push(`${source.id} can't be read.`);
    if (source.state === 'catching-up' || source.lag > FAR_BEHIND)
      problems.push(`${source.id} is ${source.lag} bytes behind.`);
    // That it can't be read says more than the fault that stands behind it would.
    for (const fault of source.state === 'failed' ? [] : source.faults)
      if (isProblem(fault, now)) problems.push(`${source.id}: ${fault.message}`);
  }
  return { ok: problems.length === 0, problems };
}
