/** Modules that answer by `hatchery_handle`, and modules of which no image can be made. */
import t from 'tap';
import type { HatcheryError } from '../../src/index.js';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { assembled, imageOf, moduleOf, noWasiCompiler } from './build-module.js';

t.test('a reactor', { skip: untestable || noWasiCompiler }, async (t) => {
  const folder = t.testdir();
  const image = await imageOf(await moduleOf('reactor', folder, '-mexec-model=reactor'));
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'reactor', image });
  const send = (path: string) => fn.fetch(`http://f${path}`, { method: 'PUT', body: 'the body' });

  for (const path of ['/', '/stream', '/']) {
    const response = await send(path);
    t.equal(response.status, 201);
    t.equal(response.headers.get('x-counts'), '11', 'initialised once, and no request before');
    t.equal(await response.text(), `PUT\0http://f${path}the body`);
  }
  t.equal(await (await send('/twice')).text(), '-----00-');
  await t.rejects(send('/none'), { code: 'FUNCTION_CRASHED' });
  const instance = await fn.spawn();
  await instance.fetch('http://f/');
  t.equal((await instance.fetch('http://f/')).headers.get('x-counts'), '12', 'it keeps its state');
  await instance.kill();
});

const command = (rest: string, exported = '(memory (export "memory") 1)') =>
  `(module ${exported} (func (export "_start") ${rest}))`;

t.test('a module of text', { skip: untestable }, async (t) => {
  const folder = t.testdir();
  const text = `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "content-type: text/plain\\0a\\0ahello")
    (data (i32.const 0) "\\10\\00\\00\\00\\1f\\00\\00\\00")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
  const image = await imageOf(await assembled(text, 'hello', folder));
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'text', image, strategy: 'clone' });
  t.equal(await (await fn.fetch('http://f/')).text(), 'hello');

  const tooLarge = command('', '(memory (export "memory") 4000)');
  const large = await imageOf(await assembled(tooLarge, 'large', folder));
  const refused = await deploy(fabric, { name: 'large', image: large }).catch(
    (error: HatcheryError) => error,
  );
  t.match(refused, { code: /MEMORY|START/ });
  t.match((refused as HatcheryError).message, /memory/);
});

t.test('what cannot be an image says why', async (t) => {
  const folder = t.testdir();
  const cases: Record<string, [string, RegExp]> = {
    memoryless: [command('', ''), /exports no memory/],
    entryless: ['(module (memory (export "memory") 1))', /neither "_start" nor "hatchery_handle"/],
    both: [
      `(module (memory (export "memory") 1) (func (export "_start"))
        (func (export "hatchery_handle")))`,
      /must be a command or a reactor/,
    ],
    unknown: [
      `(module (import "env" "nonsense" (func)) (memory (export "memory") 1)
        (func (export "_start") (call 0)))`,
      /nonsense/,
    ],
  };
  for (const [name, [text, reason]] of Object.entries(cases)) {
    const module = await assembled(text, name, folder);
    await t.rejects(imageOf(module), { code: 1, stderr: reason }, name);
  }
});
