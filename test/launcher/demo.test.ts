// `npm run demo`, as a newcomer runs it: it shows the whole story, and leaves nothing behind however it ends.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { needs, program } from '../support/programs.ts';
import { ended, eventually, run, runOk } from '../support/run.ts';

/** Started with patience: the machine is busy with other tests. */
const DEMO = fileURLToPath(new URL('../demo.ts', import.meta.url));

/** What a demo with this pid would leave: namespaces, and processes that run in its folders. */
async function leftovers(pid: number, folders: readonly string[]): Promise<string[]> {
  const namespaces = await runOk(program('ip'), ['netns', 'list']);
  const processes = await runOk(program('ps'), ['-eo', 'args']);
  return [
    ...namespaces.split('\n').filter((line) => line.includes(`bailiff-${pid}-`)),
    ...processes.split('\n').filter((line) => folders.some((folder) => line.includes(folder))),
    ...demoFolders().filter((folder) => folders.includes(folder)),
  ];
}
const demoFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('bailiff-demo-'));

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'curl',
  'ps',
)('npm run demo', () => {
  it('shows the attack, both bans, the drops, the bystander and the release, and cleans up', async () => {
    const before = demoFolders();
    const child = spawn(process.execPath, [DEMO, '600'], { stdio: 'pipe' });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (shown += text));
    await eventually('the demo has a folder', () => demoFolders().length > before.length);
    const folders = demoFolders().filter((folder) => !before.includes(folder));
    const { code } = await ended(child);

    expect(code, shown).toBe(0);
    expect(shown).toMatch(/attacker +POST \/login, password "123456" +→ 401/);
    expect(shown).toMatch(/bailiff +ban 203\.0\.113\.11 in jail login, offence no\. 1: 7 s/);
    expect(shown).toMatch(/attacker +POST \/login, .* no answer/);
    expect(shown).toMatch(/kernel +has dropped [1-9]\d* packets/);
    expect(shown.match(/bystander +GET \/ +→ 200/g)?.length).toBeGreaterThanOrEqual(3);
    expect(shown).toMatch(/bailiff +ban 203\.0\.113\.11 in jail login, offence no\. 2: 21 s/);
    expect(shown).toMatch(/attacker +GET \/ +→ 200 +\(the ban is lifted\)/);
    expect(await leftovers(child.pid!, folders)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('cleans up when %s ends it in the middle', async (signal) => {
    const before = demoFolders();
    const child = spawn(process.execPath, [DEMO, '600'], { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface({ input: child.stdout }))
      if (line.includes('POST /login')) break;
    const folders = demoFolders().filter((folder) => !before.includes(folder));
    expect(folders.length).toBeGreaterThan(0);
    child.kill(signal);
    expect((await ended(child)).code).toBe(signal === 'SIGINT' ? 130 : 143);
    // Killed children take a moment to be gone.
    await eventually('nothing is left', async () => (await leftovers(child.pid!, folders)).length === 0);
  });
});

needs('setpriv')('npm run demo without root', () => {
  it('says what is missing, and makes nothing', async () => {
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, DEMO];
    const { code, stderr } =
      process.geteuid?.() === 0
        ? await run(program('setpriv'), asNobody)
        : await run(process.execPath, [DEMO]);
    expect(code).toBe(1);
    expect(stderr).toContain('sudo npm run demo');
  });
});
