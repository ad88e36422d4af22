import { test } from 'tap';
import { DEFAULT_LIMITS } from '../../src/index.js';
import { milliseconds, tested, untestable, waitedOut } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

/** Of what loops as it starts. */
const LIMIT = waitedOut(200);
/**
 * Where a guest needs long until it runs the function's code, the host's clock ends it before its own
 * does; and only the guest knows the place.
 */
const TRACE = tested.slowness === 1 ? /at spin \(function\.ts:4:\d+\)/ : /./;

/** What a start-up may fill before it is ended. */
const MEMORY_BYTES = tested.slowness === 1 ? DEFAULT_LIMITS.memoryBytes : 32 << 20;

const HANDLER = 'export default { fetch: () => new Response("ok") };\n';

test('start-up code that does not end well fails the deploy', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const started = (source: string, startupMilliseconds = 20_000) =>
    deploy(fabric, {
      name: 'f',
      source,
      limits: { startupMilliseconds, memoryBytes: MEMORY_BYTES },
    });

  await t.rejects(
    started(
      `${HANDLER}\nfunction prepare(): never {\n  throw new RangeError('no');\n}\nprepare();\n`,
    ),
    {
      code: 'STARTUP_FAILED',
      status: 422,
      message: /RangeError: no\n\s+at prepare \(function\.ts:4:\d+\)\n.*function\.ts:6/s,
      cause: { name: 'RangeError', message: 'no' },
    },
    'a throw',
  );
  await t.rejects(started(`${HANDLER}await new Promise(() => {});`), { code: 'STARTUP_PENDING' });
  await t.rejects(
    started(`${HANDLER}const all = [];\nfor (;;) all.push(new Uint8Array(1 << 20).fill(1));`),
    { code: 'MEMORY_EXCEEDED' },
  );
  await t.rejects(started('export const fetch = 1;'), { code: 'STARTUP_FAILED' }, 'no handler');

  const start = performance.now();
  await t.rejects(
    started(
      `${HANDLER}\nfunction spin() {\n  for (let n = 0; ; ) n = Math.sqrt(n + 1);\n}\nspin();\n`,
      LIMIT,
    ),
    {
      code: 'STARTUP_TIMEOUT',
      details: { limit: milliseconds(LIMIT), trace: TRACE },
    },
  );
  t.ok(performance.now() - start < milliseconds(10_000), 'a loop is ended by its own limit');

  const fn = await started(HANDLER);
  t.equal(await (await fn.fetch('http://f/')).text(), 'ok', 'the name is not spoilt');
});

test('source that cannot be bundled names the place', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  await t.rejects(deploy(fabric, { name: 'f', source: 'const a = ;' }), {
    code: 'BUNDLE_FAILED',
    details: { problem: 'function.ts:1:11: Unexpected ";"' },
  });
  await t.rejects(deploy(fabric, { name: 'f', file: '/nowhere/f.ts' }), { code: 'BUNDLE_FAILED' });
});

test('what the handler throws has a trace in the source', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const source = [
    'interface Unused { readonly gone: true }',
    'function deep(value: string): never {',
    '  throw new TypeError(value);',
    '}',
    'export default {',
    '  async fetch(request: Request): Promise<Response> {',
    '    await request.text();',
    '    return deep(request.url);',
    '  },',
    '};',
  ].join('\n');
  const fn = await deploy(fabric, { name: 'f', source });
  await t.rejects(fn.fetch('http://f/x'), {
    code: 'FUNCTION_THREW',
    cause: { name: 'TypeError', message: 'http://f/x' },
    details: { trace: /^TypeError: http:\/\/f\/x\n\s+at deep \(function\.ts:3:\d+\)\n\s+at .*8:/ },
  });
});
