// Where the lines come from: files, the journal and standard input, joined to one stream; and what of it is followed.
import type { Position } from '../../model.ts';
import type { Clock, Feed, FeedExec, Log } from '../../ports.ts';
import type { SourcesOptions } from '../../sources/contract.ts';
import { createInput, createJournals, createSources, joinSources } from '../../sources/index.ts';
import type { JoinedSources } from '../../sources/index.ts';
import type { Feeding } from './watches.ts';

export interface Feeds {
  readonly sources: JoinedSources;
  /** Follows this from now on. @returns resolves when each file that is new has its place. */
  follow(feeding: Feeding): Promise<void>;
}

/** @param directory of the journal's files, where they are not this host's. */
export function createFeeds(
  feeding: Feeding,
  options: Pick<SourcesOptions, 'stampOf'> & {
    readonly positions: readonly Position[];
    readonly directory: string | undefined;
  },
  ports: { clock: Clock; log: Log; exec: FeedExec; input: () => Feed; portion: () => number },
): Feeds {
  const { positions, directory, stampOf } = options;
  const { clock, log, exec, portion } = ports;
  const files = createSources(
    { watches: feeding.watches, positions: positions.filter((each) => each.kind === 'file'), stampOf },
    { clock, log, portion },
  );
  const journals = createJournals(
    {
      watches: feeding.journals,
      directory,
      positions: positions.filter((each) => each.kind === 'journal'),
    },
    { clock, log, exec, portion },
  );
  const input = createInput(feeding.input, { clock, open: ports.input });
  return {
    sources: joinSources([files, journals, input]),
    follow(next) {
      journals.follow(next.journals);
      input.follow(next.input);
      return files.follow(next.watches);
    },
  };
}
