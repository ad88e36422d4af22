import { execFileSync } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { untestable } from '../drivers/driver-under-test.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { buildC } from './build-c.js';

const skip = untestable;
const LUA = ['application.c', 'request.c', 'response.c', 'error_report.c'].map((name) =>
  join('images/lua', name),
);

test('a script of one line is the function', { skip }, async (t) => {
  const { logger, lines: logged } = collectingLogger();
  await using fabric = await openFabric({ logger });
  const script =
    'local n = 0 ' +
    'local answers = {} ' +
    'function answers.request(r) return { headers = { ["X-List"] = { "a", "b" }, ["x-number"] = 5 }, ' +
    '  body = table.concat({ r.method, r.path, r.query, r.headers["x-h"], r.url, r.body }, "|") } end ' +
    'function answers.count() n = n + 1 return tostring(n) end ' +
    'function answers.random() return tostring(math.random(1 << 40)) end ' +
    'function answers.throw() error("boom") end ' +
    'function answers.value() error({}) end ' +
    'function answers.number() return 7 end ' +
    'function answers.none() end ' +
    'function answers.status() return { status = 99 } end ' +
    'function answers.header() return { headers = { a = "b\\r\\nc: d" } } end ' +
    'function answers.name() return { headers = { ["a b"] = "c" } } end ' +
    'function answers.huge() return { headers = { a = ("x"):rep(200000) } } end ' +
    'function answers.body() return { body = {} } end ' +
    'function answers.large() return { status = 404, body = ("x"):rep(3000000) } end ' +
    'function answers.memory() local s = {} while true do s[#s + 1] = ("x"):rep(1000000) .. #s end end ' +
    'function answers.deep() local function f(n) return 1 + f(n) end return f(1) end ' +
    'function answers.loop() while true do end end ' +
    'function answers.bytecode() return tostring(load(string.dump(function() end), "x", "t")) end ' +
    'function answers.print() print("to the log") return "" end ' +
    'function answers.execute() return tostring(os.execute("true")) .. tostring(io.open("/etc/passwd")) end ' +
    'function handle(r) return answers[r.path:sub(2)](r) end';
  const lua = await deploy(fabric, {
    name: 'lua',
    image: 'lua',
    source: script,
    // Filling the memory takes most of a second where page faults are dear.
    limits: { wallMilliseconds: 60_000, cpuMilliseconds: 4_000 },
  });
  const ask = (path: string, options?: RequestInit) => lua.fetch(`http://lua/${path}`, options);
  const text = async (path: string) => (await ask(path)).text();

  const headers = { 'x-h': 'value' };
  const response = await ask('request?a=b', { method: 'POST', body: 'body', headers });
  t.equal(await response.text(), 'POST|/request|a=b|value|http://lua/request?a=b|body');
  t.equal(response.headers.get('x-list'), 'a, b');
  t.equal(response.headers.get('x-number'), '5');

  t.equal(await text('count'), '1');
  t.equal(await text('count'), '1', 'each request has a machine of its own');
  t.not(await text('random'), await text('random'));
  const large = await ask('large');
  t.strictSame([large.status, (await large.text()).length], [404, 3_000_000]);
  t.match(await text('bytecode'), 'nil');
  t.equal(await text('execute'), 'nilnil');
  t.equal(await text('print'), '');
  t.ok(logged.some(({ msg }) => msg === 'to the log'));

  const thrown = (path: string, message: RegExp) =>
    t.rejects(ask(path), { code: 'FUNCTION_THREW', details: { message } }, path);
  await thrown('throw', /^app\.lua:1: boom$/);
  await t.rejects(ask('throw'), { code: /^[A-Z_]+$/, details: { trace: /app\.lua:1: in/ } });
  await thrown('value', /^table: /);
  await thrown('number', /returned a number/);
  await thrown('none', /returned a nil/);
  await thrown('status', /no integer from 200 to 599/);
  await thrown('header', /character that no header may have/);
  await thrown('name', /name of the response's headers/);
  await thrown('huge', /too large/);
  await thrown('body', /body is a table/);
  await thrown('not-there', /attempt to call a nil value/);
  await t.rejects(ask('deep'), { code: 'MEMORY_EXCEEDED' });
  await t.rejects(ask('memory'), { code: 'MEMORY_EXCEEDED' });
  await t.rejects(ask('loop'), { code: 'CPU_EXCEEDED' });
});

test('a script that is none', { skip }, async (t) => {
  await using fabric = await openFabric();
  const script = (text: string) => deploy(fabric, { name: 'lua', image: 'lua', source: text });
  await t.rejects(script('function ('), {
    message: /app\.lua:1: <name> expected/,
  });
  await t.rejects(script('error("at start")'), {
    message: /at start/,
  });
  await t.rejects(script('x = 1'), {
    message: /neither returns a function/,
  });
  await t.rejects(script('\x1bLua'), {
    message: /attempt to load a binary chunk/,
  });
  await t.rejects(deploy(fabric, { name: 'lua', image: 'lua' }), {
    code: 'CONFIGURATION_INVALID',
  });
});

test('the example, packed into an image', { skip }, async (t) => {
  const folder = t.testdir({
    example: {},
    parts: {
      'app.lua': "local part = require('part') return function() return part.name end",
      'part.lua': 'return { name = "part" }',
    },
  });
  await copyFile('examples/app.lua', join(folder, 'example', 'app.lua'));
  const imageWith = async (name: string, files: readonly string[]) => {
    const archive = join(folder, `${name}.tar`);
    const options = ['--format=ustar', '-C', join(folder, name), '-cf', archive];
    execFileSync('tar', [...options, ...files]);
    return (await buildC(LUA, ['-llua5.4'], archive)).image;
  };
  const image = await imageWith('example', ['app.lua']);
  await using fabric = await openFabric();
  const lua = await deploy(fabric, { name: 'lua', image });
  for (let i = 0; i < 2; i++) {
    const response = await lua.fetch('http://lua/?name=Ada', { method: 'POST', body: '!' });
    t.equal(response.headers.get('x-count'), '1');
    t.equal(await response.text(), 'Hello, Ada!\n!');
  }
  t.equal((await lua.fetch('http://lua/else')).status, 404);

  const parts = await deploy(fabric, {
    name: 'parts',
    image: await imageWith('parts', ['app.lua', 'part.lua']),
  });
  t.equal(await (await parts.fetch('http://parts/')).text(), 'part');
});
