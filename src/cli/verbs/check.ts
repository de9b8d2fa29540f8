import type { CheckView } from '../../api/contract.ts';
import { EXIT, type Fault } from '../../errors.ts';
import { costOfLooking, noProofs } from '../../setup/index.ts';
import type { Setup } from '../../setup/index.ts';
import { printable } from '../../text.ts';
import { formatJson } from '../json.ts';
import { exitOf, readSetup, tellFaults } from '../ready.ts';
import type { Verb } from '../verb.ts';
import type { JailConfig } from '../../config/contract.ts';
import { stepText } from '../../answer.ts';

export const verb: Verb = {
  name: 'check',
  summary: 'every fault of config and filters; runs samples and forgeries',
  arguments: [],
  options: [],
  details: 'Exit status 78 for a faulty config or filter, 1 for a sample or forgery that a filter fails.',
  async run(context) {
    const result = readSetup(context, noProofs, true);
    const faults = result.ok ? [] : result.faults;
    const warnings = result.ok ? withCosts(result.warnings, result.setup) : [...result.warnings];
    if (context.json) {
      const view: CheckView = { ok: result.ok, faults: [...faults], warnings };
      context.out(formatJson(view));
    } else {
      tellFaults(context, warnings, 'warning');
      tellFaults(context, faults, 'fault');
      if (result.ok) context.out(describe(context.paths.config, result.setup));
      else context.err(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}.\n`);
    }
    return result.ok ? EXIT.done : exitOf(faults);
  },
};

/** Of a filter that looks at each line, what that costs. */
function withCosts(warnings: readonly Fault[], { jails }: Pick<Setup, 'jails'>): Fault[] {
  const filters = jails.flatMap((jail) => jail.filters);
  return warnings.map((warning) => {
    const { code, file, message } = warning;
    const slow =
      code === 'W_FILTER_NO_LITERAL' ? filters.find(({ definition }) => definition.file === file) : undefined;
    const cost = slow && costOfLooking(slow, () => performance.now());
    return cost === undefined
      ? warning
      : { ...warning, message: `${message}; here that takes some ${cost.toPrecision(2)} µs a line` };
  });
}

/** What its bans do, offence by offence; nothing where all of them drop what the jail says. */
function answersOf({ respond }: JailConfig): string {
  if (respond.every(({ answer, ports, duration, wider }) => !answer && !ports && !duration && !wider))
    return '';
  return `bans ${respond.map(stepText).join(', then ')}; `;
}

function describe(file: string, setup: Pick<Setup, 'jails'>): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const jails = setup.jails.map(({ config, rules, filters }) => {
    const isAccess = filters.some(({ definition }) => definition.layout === 'access');
    const format = isAccess ? `lines are read as ${printable(config.logFormat ?? 'combined', 60)}; ` : '';
    const answers = answersOf(config);
    return `  ${rules.name}: ${format}${answers}stamps without a zone are read in ${config.zone ?? `${zone} (this host's)`}\n`;
  });
  return `${file}: no faults; every sample and forgery passed.\n${jails.join('')}`;
}
