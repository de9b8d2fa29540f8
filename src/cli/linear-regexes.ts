// V8's flags for filters, set by being imported, once and before any filter is read. On node's command line they would cost
// every verb: with other flags than those that it was built with, Node can't use the code of its own modules that it has
// ready, and compiles them anew. V8 looks at them whenever it makes a regex, so they need not be there from the start.
import { setFlagsFromString } from 'node:v8';

/** Makes /…/l available, our oracle for "runs in linear time": without it no filter is compiled (src/filters/regex.ts). */
setFlagsFromString('--enable-experimental-regexp-engine');
/** Bounds every match of any regex: what steps back too often is run by the linear engine from there. */
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
/** Instead of V8's fifty thousand steps, which take a third of a second on a hostile line. */
setFlagsFromString('--regexp-backtracks-before-fallback=300');
