// The program that bin/bailiff starts.
import { bailiff } from './bailiff.ts';
import { createOutput } from './output.ts';

async function main(): Promise<void> {
  // Not process.exit(): what stands in a pipe's buffer must still reach its reader.
  process.exitCode = await bailiff(process.argv.slice(2), {
    out: createOutput(process.stdout),
    err: createOutput(process.stderr),
    terminal: process.stdout.isTTY === true,
  });
}

void main();
