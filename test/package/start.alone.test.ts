/** The second `npm start`, and a start where something is missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runToEnd } from '../cli/command.js';
import { noKvm } from '../fabric/kvm.js';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));
const SERVES_WITHIN_MILLISECONDS = 2_000;

t.test('a second npm start serves within 2 s', { skip: noKvm }, async (t) => {
  // Where sources were edited since the tests were started, the first is this one.
  t.equal((await runToEnd([process.execPath, `${CHECKOUT}/scripts/build.mjs`])).code, 0);
  const start = performance.now();
  // A process group of its own, so that the signal reaches all of it, as Ctrl-C on a terminal does.
  const child = spawn('npm', ['start', '--', '--port', '0'], { cwd: CHECKOUT, detached: true });
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
  t.equal((await fetch(url)).status, 200);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  const [code] = await ended;

  t.equal(code, 0, 'Ctrl-C ends it with code 0');
  t.match(notes, /^Up to date: node, packages, dependencies, addon/m, 'no work is done twice');
  t.match(output, /driver +kvm: /);
  t.match(output, /strategy +reset: /);
  t.match(output, /self-test 200 requests through HTTP: p50 [\d.]+ ms, p99 [\d.]+ ms\n/);
  t.ok(servedAfter < SERVES_WITHIN_MILLISECONDS, `after ${servedAfter.toFixed(0)} ms`);
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
