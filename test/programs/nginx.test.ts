// What nginx writes about real requests, in five formats and into its error log, before our filters.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs } from '../support/programs.ts';
import { NGINX } from './nginx.ts';
import { createStage, type Outcome, type Stage } from './stage.ts';

needs(
  'root',
  'ip',
  'nginx',
  'curl',
)('the logs of a real nginx', () => {
  let folder: TemporaryFolder;
  let stage: Stage;
  let outcomes: Outcome[];

  beforeAll(async () => {
    folder = temporaryFolder('programs');
    stage = await createStage(folder.path);
    outcomes = await stage.play(NGINX);
  });
  afterAll(async () => {
    await stage?.remove();
    folder.remove();
  });

  test.each(NGINX.logs.map(({ name }, index) => [name, index] as const))('%s', (_name, index) => {
    const { got, expected } = outcomes[index]!;
    expect(got).toEqual(expected);
  });
});
