/** Modules are built with the guest SDK itself: what the check lets through is translated, and runs. */
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildCache } from '../../src/image/build/build-cache.js';
import { ImageBuilder } from '../../src/image/build/image-builder.js';
import { Sdk } from '../../src/image/build/sdk.js';
import { ImageStore } from '../../src/image/store/image-store.js';
import { workerUser } from '../../src/supervisor/user.js';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { GREETING_MODULE, noSdk, SDK } from './guest-sdk.js';

async function build(t: Test, text: string) {
  const folder = t.testdir({ 'app.wat': text });
  const store = new ImageStore(`${folder}/images`);
  const builder = new ImageBuilder({
    ...{ store, cache: new BuildCache(store, `${folder}/builds`), user: workerUser(undefined) },
    sdk: () => Sdk.open(SDK),
  });
  const { image } = await builder.build({ name: 'app', sources: [`${folder}/app.wat`] });
  return { image, elf: (await store.read('app')).whole.elf, folder };
}

t.test('twice from nothing: the same image', { skip: noSdk }, async (t) => {
  const [one, two] = [await build(t, GREETING_MODULE), await build(t, GREETING_MODULE)];
  t.equal(one.image.digest, two.image.digest);
  t.match(one.image.config.provenance.tools, { wasm2c: /1\./, gcc: /gcc/ });
  t.ok(one.image.config.provenance.flags.length > 3);
  t.notMatch(Buffer.from(one.elf).toString('latin1'), 'hatchery-build', 'nor where it was built');
});

t.test('it serves', { skip: noSdk || untestable }, async (t) => {
  const { elf, folder } = await build(t, GREETING_MODULE);
  writeFileSync(`${folder}/app.elf`, elf);
  const fabric = await openFabric();
  t.teardown(() => fabric.close());
  const fn = await deploy(fabric, { name: 'app', image: `${folder}/app.elf` });
  const response = await fn.fetch(new Request('http://app/'));
  t.equal(await response.text(), 'hello from a module\n');
});

t.test('all that the check lets through is translated', { skip: noSdk }, async (t) => {
  const { image } = await build(
    t,
    `(module
      (memory (export "memory") 1) (data $d "x")
      (table $t 2 4 funcref) (table $e 1 externref) (elem $s func $f $f)
      (elem (table $e) (i32.const 0) externref (ref.null extern))
      (global $g (mut f64) (f64.const 1.5)) (global externref (ref.null extern))
      (func $f (param i32) (result i32 i64) (local externref)
        (drop (select (result externref) (local.get 1) (table.get $e (i32.const 0)) (i32.const 1)))
        (local.get 0) (i64.const 2))
      (func (export "_start")
        (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d)
        (memory.copy (i32.const 0) (i32.const 1) (i32.const 1))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 1))
        (table.init $t $s (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $s)
        (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))
        (drop (table.grow $t (ref.null func) (i32.const 1)))
        (table.fill $t (i32.const 0) (ref.null func) (i32.const 1))
        (drop (ref.is_null (table.get $t (i32.const 0)))) (drop (table.size $t))
        (drop (i64.trunc_sat_f64_u (global.get $g))) (drop (i32.extend16_s (i32.const 1)))
        (call $f (i32.const 1)) drop drop
        (block (result i32 i32) (i32.const 1) (i32.const 2)) drop drop))`,
  );
  t.equal(image.config.manner, 'command');
});
