/** The second `npm start`, and a start where something is missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { MAIN, runToEnd, Served } from '../cli/command.js';
import { says } from '../cli/functions.js';
import { defaultDriver, defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { withinHere } from '../machine-speed.js';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));
const HELLO = `${CHECKOUT}/examples/hello.ts`;
const SERVES_WITHIN_MILLISECONDS = 2_000;

t.test('a second npm start serves within 2 s', { skip: noDriver }, async (t) => {
  // Where sources were edited since the tests were started, the first is this one.
  t.equal((await runToEnd([process.execPath, `${CHECKOUT}/scripts/build.mjs`])).code, 0);
  const kept = ['--control-port', '0', '--data', `${t.testdir()}/data`];
  const first = new Served([...kept, '--deploy', HELLO], {}, [MAIN], 'up');
  await first.url();
  await first.stop();
  const options = ['start', '--', '--port', '0', ...kept];
  const start = performance.now();
  // A process group of its own, so that the signal reaches all of it, as Ctrl-C on a terminal does.
  const child = spawn('npm', options, { cwd: CHECKOUT, detached: true });
  let output = '';
  let servedAfter = Number.POSITIVE_INFINITY;
  const selfTested = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      if (/http:\/\//.test(output)) {
        servedAfter = Math.min(servedAfter, performance.now() - start);
      }
      if (/self-test/.test(output)) {
        resolve();
      }
    });
  });
  let notes = '';
  child.stderr.on('data', (chunk: Buffer) => {
    notes += chunk;
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  await Promise.race([selfTested, ended]);
  const [, url = ''] = /at (http:\S+)/.exec(output) ?? [];
  t.match(url, 'http://127.0.0.1:', notes);
  const addressOf = (line: string) =>
    new RegExp(`^ +${line} +(http://127\\.0\\.0\\.1:\\d+[^\\s:;]*)`, 'm').exec(output)?.[1] ?? '';
  t.match(await (await fetch(`${url}/?name=Ada`)).json(), { hello: 'Ada', served: 1 });
  t.match(await (await fetch(`${url}/hello/?name=Ada`)).json(), { hello: 'Ada', served: 1 });
  t.equal(addressOf('page'), `${url}/zerg`);
  t.match(await (await fetch(addressOf('page'))).text(), /^<!doctype html>/);
  t.equal((await fetch(`${addressOf('control')}/openapi.json`)).status, 200);
  t.equal(addressOf('dashboard'), `${addressOf('control')}/dashboard/`);
  t.match(output, /hatchery dashboard/, 'and how it is opened');
  process.kill(-(child.pid ?? 0), 'SIGINT');
  const [code] = await ended;

  t.equal(code, 0, 'Ctrl-C ends it with code 0');
  t.match(notes, /^Up to date: node, packages, dependencies, addon/m, 'no work is done twice');
  t.match(output, new RegExp(`driver +${defaultDriver}: `));
  t.match(output, new RegExp(`strategy +${defaultStrategy}: `));
  t.match(output, /self-test 200 requests through HTTP: p50 [\d.]+ ms, p99 [\d.]+ ms\n/);
  const limit = withinHere(SERVES_WITHIN_MILLISECONDS);
  t.ok(servedAfter < limit, `after ${servedAfter.toFixed(0)} ms of ${limit.toFixed(0)}`);
});

t.test('npm start -- FILE serves that file', { skip: noDriver }, async (t) => {
  const folder = t.testdir({ 'other.ts': says('the other') });
  const given = [`${folder}/other.ts`, '--json', '--port', '0', '--control-port', '0'];
  const args = [`${CHECKOUT}/scripts/start.mjs`, ...given, '--data', `${folder}/data`];
  const child = spawn(process.execPath, args);
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
  const { url, function: name } = JSON.parse(String(line).split('\n')[0] ?? '');
  t.equal(name, 'other');
  t.equal(await (await fetch(url)).text(), 'the other');
  child.kill('SIGINT');
  t.strictSame((await ended)[0], 0);
});

t.test('a port that is in use is named', { skip: noDriver }, async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  t.teardown(() => holder.close());
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const data = ['--data', `${t.testdir()}/data`];
  for (const options of [
    ['--port', `${port}`, '--control-port', '0'],
    ['--port', '0', '--control-port', `${port}`],
  ]) {
    const start = [process.execPath, `${CHECKOUT}/scripts/start.mjs`, ...options, ...data];
    const { code, stderr, stdout } = await runToEnd(start);
    t.equal(code, 5);
    t.match(stderr, new RegExp(`${port}.*\\[PORT_IN_USE\\]`));
    t.equal(stdout, '');
  }
});

t.test('missing tools are named, with what they are for', async (t) => {
  const withoutTools = t.testdir({ node: t.fixture('symlink', process.execPath) });
  const { code, stderr } = await runToEnd([process.execPath, `${CHECKOUT}/scripts/start.mjs`], {
    env: { PATH: withoutTools },
  });
  t.equal(code, 1);
  for (const name of ['gcc', 'g++', 'make', 'python3', 'musl-tools', 'wabt']) {
    t.match(stderr, new RegExp(`^ {2}${name.replaceAll('+', '\\+')} +\\S+`, 'm'));
  }
  t.match(stderr, /What to do: install what Debian calls gcc, g\+\+/);
});
