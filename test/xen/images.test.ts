/**
 * Images of a module, of a C program and of Lua scripts on Xen. They are built on the host
 * (scripts/lab/guests.mjs), since Dom0 has no compiler, and shipped as test guests are.
 */
import { existsSync } from 'node:fs';
import { test } from 'tap';
import { strategiesOf, untestable } from '../drivers/driver-under-test.js';
import { TestGuests } from '../drivers/test-guests.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';

const guests = untestable === false ? new TestGuests() : undefined;
const imageOf = (name: string) => guests?.path(`${name}.elf`) ?? '';
const skip =
  untestable || (!existsSync(imageOf('module')) && 'needs the image SDK where the lab is packed');

test('a module', { skip }, async (t) => {
  await using fabric = await openFabric();
  const limits = { memoryBytes: 32 << 20 };
  for (const strategy of strategiesOf('reset', 'clone', 'pool')) {
    const fn = await deploy(fabric, {
      ...{ name: strategy, image: imageOf('module'), strategy, limits },
    });
    const ask = async (body: string) => {
      const response = await fn.fetch('http://module/', { method: 'POST', body });
      t.equal(response.headers.get('content-type'), 'text/plain');
      return response.text();
    };
    t.equal(await ask('-'), '1', strategy);
    t.equal(await ask('-'), '1', `${strategy}: each request has its own memory`);
    const crashed = (reason: RegExp) => ({ code: 'FUNCTION_CRASHED', details: { reason } });
    await t.rejects(ask('d'), crashed(/the module trapped: integer divide by zero/), strategy);
    await t.rejects(ask('u'), crashed(/unreachable/), strategy);
    await t.rejects(ask('r'), crashed(/./), `${strategy}: recursion without end`);
    await t.rejects(ask('o'), crashed(/./), `${strategy}: behind all memory`);
    await t.rejects(ask('g'), { code: 'MEMORY_EXCEEDED' }, strategy);
    t.equal(await ask('-'), '1', `${strategy}: the next request is served`);
  }
});

test('a C program', { skip }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'program', image: imageOf('c-program') });
  const text = async (path: string, init?: RequestInit) =>
    (await fn.fetch(`http://program${path}`, init)).text();
  for (const subject of ['files', 'memory', 'process', 'time']) {
    t.equal(await text(`/${subject}`), 'ok\n', subject);
  }
  t.match(await text('/formats'), /^0\.10000000000000001 .*\nok\n$/s, 'with its vector registers');
  for (let round = 0; round < 2; round += 1) {
    t.equal(await text('/traces'), '3 no file\nok\n', 'nothing of a request is there in the next');
  }
  t.equal(await text('/echo', { method: 'POST', body: 'x'.repeat(300_000) }), 'x'.repeat(300_000));
  await t.rejects(text('/code'), { code: 'FUNCTION_THREW', details: { message: /exit code 3/ } });
  for (const path of ['/abort', '/null', '/recurse', '/hidden']) {
    await t.rejects(text(path), { code: 'FUNCTION_CRASHED' }, path);
  }
  t.equal(await text('/at-exit'), 'at exit\n', 'and no other request notices');
});

test('a script in Lua', { skip }, async (t) => {
  await using fabric = await openFabric();
  const source = `
    local count = 0
    function handle(request)
      count = count + 1
      if request.path == "/throw" then error("boom") end
      if request.path == "/deep" then local function f(n) return 1 + f(n) end return f(1) end
      return { status = 203, headers = { ["x-count"] = count }, body = request.method .. request.body }
    end`;
  const fn = await deploy(fabric, { name: 'lua', image: 'lua', source });
  for (let round = 0; round < 2; round += 1) {
    const response = await fn.fetch('http://lua/', { method: 'PUT', body: ' body' });
    t.equal(response.status, 203);
    t.equal(response.headers.get('x-count'), '1', 'each request has a machine of its own');
    t.equal(await response.text(), 'PUT body');
  }
  await t.rejects(fn.fetch('http://lua/throw'), {
    ...{ code: 'FUNCTION_THREW', details: { message: /boom/, trace: /app\.lua:5/ } },
  });
  await t.rejects(fn.fetch('http://lua/deep'), { code: 'MEMORY_EXCEEDED' });
});
