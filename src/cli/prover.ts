// Proves filters in a process of its own, whose memory goes with it, and tells which it has proven, or what is wrong. Task and
// answer are JSON on its standard input and output. This file is that process's whole program.
import './linear-regexes.ts';
import { readFileSync } from 'node:fs';
import { answerOf } from '../setup/index.ts';
import type { ProverTask } from '../setup/index.ts';

process.stdout.write(JSON.stringify(answerOf(JSON.parse(readFileSync(0, 'utf8')) as ProverTask)));
