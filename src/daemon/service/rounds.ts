// What comes round by the clock on the wall, whenever the daemon was started. Instants are counted from 1970, so that no
// calendar and no zone is needed: Node's tables of them are seven megabytes that a small service never touches otherwise.
import type { Cancel, Clock, Rounds } from '../../ports.ts';

/** A clock that was set is noticed after this long at the latest. */
const LONGEST_NAP = 60_000;

/** Real rounds; the clock's timers keep no process alive. A round that was slept through is not caught up with. */
export function createRounds(clock: Clock): Rounds {
  return ({ every, at }, task) => {
    /** How long it is until the next round, all of a period at its instant. */
    const left = (): number => every - ((((clock.now() - at) % every) + every) % every);
    let cancel: Cancel = () => {};
    const wait = (): void => {
      const rest = left();
      const due = clock.now() + rest;
      cancel = clock.schedule(Math.min(rest, LONGEST_NAP), () => {
        // Timers may be a millisecond early, and the nap was too short for what is an hour away.
        const isDue = clock.now() >= due;
        wait();
        if (isDue) task();
      });
    };
    wait();
    return () => cancel();
  };
}
