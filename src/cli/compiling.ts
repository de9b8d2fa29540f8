// When V8's optimising compilers take a function, in a service that does little for long and much now and then.
import { setFlagsFromString } from 'node:v8';

/** Bytes. To read more than that takes some tenths of a second at least. */
const BACKLOG = 16 * 1_024 * 1_024;

/**
 * A function is optimised after 2 500 calls and not after 400. What fewer call, like a burst of a thousand bans or a day with
 * some hundred, doesn't pay for the compilers: their threads want the processor, and their memory 20 MB, while bytecode and
 * baseline code would have done. To be called before what it is for: a function that runs has its number already.
 */
export function optimiseLate(): void {
  setFlagsFromString('--invocation-count-for-maglev=2500');
}

/** Where so many bytes wait to be read, V8's own number serves better, until they are: by then nearly all is compiled. */
export function optimiseFor(backlog: number): void {
  if (backlog > BACKLOG) setFlagsFromString('--invocation-count-for-maglev=400');
}
