/** A process that is killed in the middle of a deploy leaves the old version or the new one. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { FunctionStore } from '../../src/control/data/function-store.js';
import { SecretBox } from '../../src/control/data/secret-box.js';

const WRITER = fileURLToPath(new URL('./store-writer.js', import.meta.url));
const KILLS = 200;
/** A deploy takes some 5 ms, so that this reaches every moment of several. */
const LATEST_MILLISECONDS = 40;

/** @returns the last version of which the process said that it is there to stay. */
async function deployUntilKilled(folder: string): Promise<number> {
  const child = spawn(process.execPath, [WRITER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  await sleep(Math.random() * LATEST_MILLISECONDS);
  child.kill('SIGKILL');
  await closed;
  const whole = said.slice(0, said.lastIndexOf('\n')).split('\n');
  return Number(whole.at(-1));
}

t.test('killed 200 times', async (t) => {
  const folder = t.testdir();
  let left = 0;
  const broken: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const acknowledged = await deployUntilKilled(folder);
    left += readdirSync(`${folder}/functions/app`).some((name) => name.endsWith('.tmp')) ? 1 : 0;
    const store = await FunctionStore.open(folder, await SecretBox.open(folder, {}));
    const current = store.get('app')?.current ?? 0;
    const { settings, code, secrets } = await store.read('app');
    const digest = createHash('sha256')
      .update(code?.module ?? '')
      .digest('hex');
    const isWhole = settings.env.DIGEST === digest && secrets.DIGEST === digest;
    const isOldOrNew = current === acknowledged || current === acknowledged + 1;
    const files = readdirSync(`${folder}/functions/app`);
    const versions = store.get('app')?.versions.map(({ version }) => `${version}.json`) ?? [];
    const isClean = files.length === versions.length + 1;
    if (!isWhole || !isOldOrNew || !isClean) {
      broken.push(JSON.stringify({ kill, acknowledged, current, isWhole, files, versions }));
    }
  }
  t.same(broken, []);
  t.ok(left > 0, 'some of them were killed in the middle of a write');
});
