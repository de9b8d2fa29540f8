// In: filter files and the options of a jail; lines as bytes. Out: filters that are proven, and their matches.
// A match names the address that the line is about, when, and how often it counts.
// It never counts, knows no clock, reads no file, and runs no regex that could take more than linear time.
export { createAddressReader } from './addresses.ts';
export { parseFilter } from './definition.ts';
export { proveFilter } from './prove.ts';
export { compileFilter, fieldsOf } from './compile.ts';
export { contradiction } from './contradiction.ts';
export { createScanner } from './scanner.ts';
export { createSearchRoom } from './search/room.ts';
export { detectFormat, type Detected } from './detect.ts';
export { createNear } from './near.ts';
export { judgeLast } from './samples.ts';
export { createSessionMemory, MOST_SESSIONS } from './sessions.ts';
export type { KeptSessions } from './sessions.ts';
export { hasAggressive, headComment, libraryPage, showpiece } from './reference.ts';
export type { Described } from './reference.ts';
