import { BailiffError, EXIT } from '../../errors.ts';
import { bashCompletions } from '../completions/bash.ts';
import { fishCompletions } from '../completions/fish.ts';
import { zshCompletions } from '../completions/zsh.ts';
import { surfaceOf } from '../surface.ts';
import type { Surface } from '../surface.ts';
import type { Context, Verb } from '../verb.ts';

const SHELLS: Readonly<Record<string, (surface: Surface) => string>> = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
};

/** What the scripts ask: words, one a line. Each loads what it needs alone: somebody waits behind his Tab key. */
const LISTS: Readonly<Record<string, (context: Context) => Promise<string[]>>> = {
  jails: jailNames,
  async filters(context) {
    const { filterNames } = await import('../ready.ts');
    return filterNames(context);
  },
  addresses: async (context) =>
    (await (await context.client('status')).bans({})).items.map(({ address }) => address),
};

/** Shells expand what they are given to complete: words with anything else in them are left out. */
const HARMLESS = /^[\w.:/-]+$/;

export const verb: Verb = {
  name: 'completions',
  summary: 'the completion script of bash, zsh or fish',
  arguments: [{ term: '<shell>', summary: 'bash, zsh or fish', choices: Object.keys(SHELLS) }],
  options: [],
  details: `bash:  source <(bailiff completions bash)
zsh:   bailiff completions zsh > "\${fpath[1]}/_bailiff", and a new shell
fish:  bailiff completions fish > ~/.config/fish/completions/bailiff.fish
bin/install-service puts them where each shell looks by itself. In the place of a shell, "jails", "filters" and
"addresses" list what the scripts offer; where that can't be known, nothing, in silence.`,
  async run(context, [shell = '']) {
    if (Object.hasOwn(SHELLS, shell)) {
      context.out(SHELLS[shell]!(surfaceOf(await context.verbs())));
      return EXIT.done;
    }
    if (!Object.hasOwn(LISTS, shell))
      throw new BailiffError('E_USAGE', `There are completions for bash, zsh and fish, none for "${shell}"`);
    const words = await quietly(() => LISTS[shell]!(context));
    context.out(
      words
        .filter((word) => HARMLESS.test(word))
        .map((word) => `${word}\n`)
        .join(''),
    );
    return EXIT.done;
  },
};

/** From the config, which answers at once; a daemon is asked where that tells nothing. */
async function jailNames(context: Context): Promise<string[]> {
  const { readJailNames } = await import('../../config/index.ts');
  const names = readJailNames(context.paths.config);
  if (names.length > 0) return names;
  const client = await context.client('status');
  return (await client.status()).jails.map(({ name }) => name);
}

/** Whoever presses Tab wants no complaint. */
async function quietly(list: () => Promise<string[]>): Promise<string[]> {
  try {
    return await list();
  } catch {
    return [];
  }
}
