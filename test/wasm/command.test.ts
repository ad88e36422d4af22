/** WASI commands as functions: CGI, files, clocks, and what goes wrong. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { DeployedFunction, HatcheryError } from '../../src/index.js';
import { untestable } from '../drivers/driver-under-test.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { imageOf, moduleOf, noWasiCompiler } from './build-module.js';

const MEBIBYTES = 32;

t.test('a command', { skip: untestable || noWasiCompiler }, async (t) => {
  const folder = t.testdir({ tree: { data: { 'greeting.txt': 'hello from the image\n' } } });
  const archive = `${folder}/files.tar`;
  const options = ['--format=ustar', '--sort=name', '--mtime=@0', '-C', `${folder}/tree`];
  execFileSync('tar', [...options, '-cf', archive, 'data']);
  const image = await imageOf(await moduleOf('command', folder), archive);
  const { logger, lines } = collectingLogger();
  await using fabric = await openFabric({ logger });
  const fn: DeployedFunction = await deploy(fabric, {
    name: 'program',
    image,
    env: { GREETING: 'a "quoted"\nüÄ', HTTP_PINNED: 'mine' },
    limits: { memoryBytes: MEBIBYTES << 20, cpuMilliseconds: 1000, wallMilliseconds: 60_000 },
  });
  const get = async (path: string, init?: RequestInit) => {
    const response = await fn.fetch(`http://program.test:81${path}`, init);
    return { response, text: await response.text() };
  };
  const failure = (path: string) =>
    get(path).then(
      () => undefined,
      (error: HatcheryError) => error,
    );

  await t.test('its environment is the request', async (t) => {
    const headers: [string, string][] = [
      ['X-Some-Thing', 'one'],
      ['x-some-thing', 'two'],
      ['cookie', 'a=1'],
      ['proxy', 'http://evil.test'],
      ['pinned', 'theirs'],
      ['content-type', 'text/x'],
    ];
    const { text } = await get('/environment?really=1&x=%20#fragment', {
      method: 'POST',
      headers,
      body: 'abc',
    });
    const lines = text.split('\n');
    for (const line of [
      'argument program',
      'GREETING=a "quoted"',
      'üÄ',
      'GATEWAY_INTERFACE=CGI/1.1',
      'REQUEST_METHOD=POST',
      'SERVER_NAME=program.test',
      'SERVER_PORT=81',
      'PATH_INFO=/environment',
      'QUERY_STRING=really=1&x=%20',
      'CONTENT_TYPE=text/x',
      'HTTP_X_SOME_THING=one, two',
      'HTTP_COOKIE=a=1',
    ]) {
      t.ok(lines.includes(line), line);
    }
    t.notOk(text.includes('HTTP_PROXY'), 'httpoxy');
    const pinned = lines.filter((line) => line.startsWith('HTTP_PINNED='));
    t.equal(pinned[0], 'HTTP_PINNED=mine', 'what the function has comes first');
  });

  await t.test('its standard output is the response', async (t) => {
    const teapot = await get('/status');
    t.equal(teapot.response.status, 418);
    t.equal(teapot.text, 'short and stout');
    t.strictSame(teapot.response.headers.getSetCookie(), ['a=1', 'b=2']);
    const redirect = await get('/redirect');
    t.equal(redirect.response.status, 302);
    t.equal(redirect.response.headers.get('location'), '/elsewhere');
    t.equal((await get('/nothing')).response.status, 404);
    const body = Buffer.alloc(700_001, 'abcdefg');
    const echoed = await fn.fetch('http://f/echo', { method: 'POST', body });
    t.ok(Buffer.from(await echoed.arrayBuffer()).equals(body), 'what is larger than any window');
    t.equal((await get('/large')).text.length, 1_000_000);
  });

  await t.test('files', async (t) => {
    const expected = `packed: hello from the image

to write there: Read-only file system
to create there: Read-only file system
to remove it: Read-only file system
to remove /tmp: Read-only file system
left from before: No such file or directory
written: 10 2
again: File exists
at: 7 7
read: 0123ab6789
grown: ok 9000, at its end 1
into a folder: ok
a folder into itself: Invalid argument
not empty: Directory not empty
outside: Capabilities insufficient
no file: Not a directory
/: ./ ../ data/ tmp/
/tmp: ./ ../ folder/
/tmp/folder: ./ ../ moved
unlinked while open: ok 3
/tmp/folder: ./ ../
`;
    t.equal((await get('/files')).text, expected);
    t.equal((await get('/files')).text, expected, 'nothing is left of a request');
  });

  await t.test('clocks and randomness are those of the request', async (t) => {
    const [slept = '', wall, body] = (
      await get('/clocks', { method: 'POST', body: 'body' })
    ).text.split(' ');
    t.ok(Number(slept) >= 29.9, slept);
    t.ok(Math.abs(Number(wall) - Date.now() / 1000) < 60, `${wall}`);
    t.equal(body, 'body');
    t.not((await get('/random')).text, (await get('/random')).text);
    t.equal((await get('/served')).text, '1');
    t.equal((await get('/served')).text, '1', 'each request has its own memory');
  });

  await t.test('pointers that are none are errors', async (t) => {
    const [fault, invalid] = [21, 28];
    const lines = (await get('/pointers')).text.trim().split('\n');
    const last = lines.pop();
    for (const line of lines) {
      for (const number of line.split(' ').map(Number)) {
        t.ok(number === fault || number === invalid, line);
      }
    }
    t.equal(last, '8 8 57', 'twice not open, and no socket');
  });

  await t.test('memory ends where its limit is', async (t) => {
    const { text } = await get('/grow');
    t.ok(Number(text) > MEBIBYTES / 2 && Number(text) < MEBIBYTES, text);
  });

  await t.test('what goes wrong has its error', async (t) => {
    const threw = { code: 'FUNCTION_THREW', status: 500 };
    t.match(await failure('/silent'), { ...threw, details: { message: /it wrote nothing/ } });
    t.match(await failure('/headless'), { ...threw, details: { message: /its head has no end/ } });
    t.match(await failure('/broken'), { ...threw, details: { message: /is no header/ } });
    t.match(await failure('/exit'), { ...threw, details: { message: /exit code 7$/ } });
    t.ok(lines.some((line) => line.msg === 'it went wrong'));
    t.match(await failure('/abort'), { code: 'FUNCTION_CRASHED' });
    t.match(await failure('/divide'), {
      code: 'FUNCTION_CRASHED',
      details: { reason: /integer divide by zero/ },
    });
    t.match(await failure('/beyond'), { code: 'FUNCTION_CRASHED' });
    t.match(await failure('/recursion'), { code: 'FUNCTION_CRASHED' });
    t.match(await failure('/loop'), { code: 'CPU_EXCEEDED' });
    const late = await fn.fetch('http://f/late');
    t.equal(late.status, 200);
    await t.rejects(late.text(), 'the body breaks off');
    t.equal((await get('/served')).text, '1', 'the next one is served');
  });

  await t.test('an instance that lives on runs it anew each time', async (t) => {
    const instance = await fn.spawn();
    for (let request = 0; request < 3; request += 1) {
      t.equal(await (await instance.fetch('http://f/served')).text(), '1');
    }
    const files = await (await instance.fetch('http://f/files')).text();
    t.match(files, 'left from before: No such file');
    await instance.kill();
  });
});
