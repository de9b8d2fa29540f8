import type { BanView, DoctorFinding, DoctorView, StatusView } from '../../api/contract.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { takenAsProven } from '../../setup/index.ts';
import { printable } from '../../text.ts';
import { fetchBans } from '../every-ban.ts';
import { formatJson } from '../json.ts';
import { readSetup } from '../ready.ts';
import { formatTable, paint, quantity } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'doctor',
  summary: 'looks at the host end to end, and names the mend for each fault',
  arguments: [],
  options: [
    { term: '--state <dir>', summary: 'where ledger.sqlite stands (BAILIFF_STATE, /var/lib/bailiff)' },
  ],
  details: `It changes nothing, needs no daemon and asks one that runs. As root it sees the firewall too. Exit status 1
when something is to be mended; notes, and what could not be looked at, are no reason for it.`,
  async run(context, _args, options) {
    const [{ examine }, { createClock, createExec }] = await Promise.all([
      import('../../daemon/index.ts'),
      import('../../daemon/system.ts'),
    ]);
    const view = await examine(
      {
        result: readSetup(context, takenAsProven),
        configFile: context.paths.config,
        state: typeof options['state'] === 'string' ? options['state'] : context.paths.state,
        daemon: await askDaemon(context),
        bans: (): Promise<readonly BanView[]> => fetchBans(context, {}),
      },
      { exec: createExec(), clock: createClock() },
    );
    context.out(context.json ? formatJson(view) : show(context, view));
    return view.ok ? EXIT.done : EXIT.no;
  },
};

/** @returns why it says nothing, where it doesn't. */
async function askDaemon(context: Context): Promise<StatusView | 'absent' | 'unknown'> {
  try {
    const client = await context.client('status');
    return await client.status();
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error;
    return error.code === 'E_NOT_RUNNING' ? 'absent' : 'unknown';
  }
}

const STYLES = { ok: 'green', note: 'cyan', fault: 'red', unknown: 'yellow' } as const;

function show(context: Context, { findings }: DoctorView): string {
  if (!context.terminal)
    return formatTable(
      context,
      [],
      findings.map(({ outcome, check, code, message, mend }) => [outcome, check, code, message, mend]),
    );
  const lines = findings.map((finding) => describe(context, finding));
  const faults = findings.filter(({ outcome }) => outcome === 'fault').length;
  const end = faults === 0 ? 'Nothing is to be mended.' : `${quantity(faults, 'thing')} to be mended.`;
  return `${lines.join('')}${end}\n`;
}

function describe(context: Context, { outcome, check, message, mend }: DoctorFinding): string {
  const mark = paint(context, STYLES[outcome], outcome.padEnd(7));
  const line = `${mark}  ${check.padEnd(10)}  ${printable(message, 1_000)}\n`;
  return mend === undefined ? line : `${line}${' '.repeat(21)}→ ${printable(mend, 1_000)}\n`;
}
