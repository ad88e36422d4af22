/** A request of which the body does not fit into one window: its head stays what it was. */
import t from 'tap';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { assembled, imageOf } from './build-module.js';

/** Of the body, in each read; the module sleeps after each one in this range, which begins in the second window. */
const READ_BYTES = 1000;
const SLEEP_FROM = 256_000;
const SLEEP_UNTIL = 300_000;

/** Echoes the body, then the head, which it asks for at the end. */
const reactor = `(module
  (import "hatchery" "request_head" (func $head (param i32 i32) (result i32)))
  (import "hatchery" "request_body_read" (func $read (param i32 i32) (result i32)))
  (import "hatchery" "response_begin" (func $begin (param i32 i32 i32) (result i32)))
  (import "hatchery" "response_write" (func $write (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8)
  (func (export "hatchery_handle") (local $count i32) (local $total i32)
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 1000))
    (drop (call $begin (i32.const 200) (i32.const 0) (i32.const 0)))
    (block $end (loop $next
      (local.set $count (call $read (i32.const 1024) (i32.const ${READ_BYTES})))
      (br_if $end (i32.eqz (local.get $count)))
      (drop (call $write (i32.const 1024) (local.get $count)))
      (local.set $total (i32.add (local.get $total) (local.get $count)))
      (if (i32.lt_u (i32.sub (local.get $total) (i32.const ${SLEEP_FROM}))
            (i32.const ${SLEEP_UNTIL - SLEEP_FROM}))
        (then (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))
      (br $next)))
    (drop (call $write (i32.const 65536)
      (call $head (i32.const 65536) (i32.const 65536))))))`;

/** Reads its standard input to the end, and only then its environment, which it shows. */
const command = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environment (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 32)
  (data (i32.const 32) "status: 200\\0a\\0a")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const ${READ_BYTES}))
    (loop $next
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $next (i32.load (i32.const 8))))
    (drop (call $sizes (i32.const 12) (i32.const 20)))
    (if (call $environment (i32.const 65536) (i32.const 131072)) (then unreachable))
    (i32.store (i32.const 0) (i32.const 32))
    (i32.store (i32.const 4) (i32.const 13))
    (i32.store (i32.const 16) (i32.const 131072))
    (i32.store (i32.const 12) (i32.const 32))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))))`;

t.test('what is read late is still the request', { skip: untestable }, async (t) => {
  const folder = t.testdir();
  await using fabric = await openFabric();
  /* What a client would have to send to be taken for somebody else. */
  const forged = Buffer.alloc(900_001, 'GET\0http://forged/\0authorization\0forged\0');
  const headers = { 'x-padding': 'p'.repeat(8000) };
  const request = { method: 'POST', headers, body: forged };

  const image = await imageOf(await assembled(reactor, 'reactor', folder));
  const reacting = await deploy(fabric, { name: 'reactor', image });
  for (let repeat = 0; repeat < 2; repeat += 1) {
    const response = await reacting.fetch('http://real.test/path', request);
    const echoed = Buffer.from(await response.arrayBuffer());
    t.ok(echoed.subarray(0, forged.length).equals(forged), 'the body');
    const head = echoed.subarray(forged.length).toString('latin1').split('\0');
    t.strictSame(head.slice(0, 2), ['POST', 'http://real.test/path']);
    t.equal(head[head.indexOf('x-padding') + 1], headers['x-padding']);
    t.notOk(head.includes('forged'));
  }

  const program = await imageOf(await assembled(command, 'command', folder));
  const running = await deploy(fabric, { name: 'command', image: program });
  const response = await running.fetch('http://real.test/path', request);
  const variables = (await response.text()).split('\0');
  t.ok(variables.includes('REQUEST_METHOD=POST'));
  t.ok(variables.includes('X_FULL_URL=http://real.test/path'));
  t.ok(variables.includes(`HTTP_X_PADDING=${headers['x-padding']}`));
  t.notOk(variables.some((variable) => variable.includes('forged')));
});
