/** `hatchery run`: one request, one answer. */
import t from 'tap';
import { noDriver, strategies } from '../drivers/default-driver.js';
import { type Ended, hatchery } from './command.js';
import {
  BYTES,
  EATS_MEMORY,
  ECHO,
  LOOPS,
  NO_SYNTAX,
  STARTUP_THROWS,
  says,
  THROWS,
} from './functions.js';

t.test('run', { skip: noDriver }, async (t) => {
  const folder = t.testdir({
    'echo.ts': ECHO,
    'bytes.ts': BYTES,
    'throws.ts': THROWS,
    'loops.ts': LOOPS,
    'eats.ts': EATS_MEMORY,
    'startup.ts': STARTUP_THROWS,
    'syntax.ts': NO_SYNTAX,
    'plain.js': says('plain words\n'),
    'vars.env': 'FROM_FILE=file\nBOTH=file\n',
  });
  const run = (file: string, ...args: string[]) => hatchery(['run', `${folder}/${file}`, ...args]);
  const json = ({ stdout }: Ended) => JSON.parse(stdout);
  const echoOf = (ended: Ended) => JSON.parse(json(ended).body);

  t.test('the body is all that is on standard output', async (t) => {
    const { code, stdout, stderr } = await run('plain.js');
    t.equal(code, 0);
    t.equal(stdout, 'plain words\n');
    t.match(stderr, /^200/m);
    t.match(stderr, /^guest +\d+\.\d{3} ms$/m, 'the timeline');
    t.match(stderr, /^end +\d+\.\d{3} ms$/m, 'to its end');
    t.match(stderr, /^processor +\d+ us$/m, 'the usage');
    t.match(stderr, /^body in +0 bytes\nbody out +12 bytes\nhost calls +0$/m);
    t.match(stderr, /^dirty memory +\d+ bytes\nbody in /m);
    t.notMatch(stderr, '\u001b');
  });

  t.test('--json: response and timeline', async (t) => {
    const ended = await run('plain.js', '--json');
    t.equal(ended.code, 0);
    t.match(json(ended), {
      status: 200,
      headers: { 'content-type': /^text\/plain/ },
      body: 'plain words\n',
      timeline: {
        bundle: Number,
        load: Number,
        boot: Number,
        spawn: Number,
        guest: Number,
        end: Number,
      },
      usage: {
        peakMemoryBytes: Number,
        dirtyMemoryBytes: Number,
        ...{ cpuMicroseconds: Number, bytesIn: 0, bytesOut: 12, hostCalls: 0 },
      },
    });
  });

  t.test('a request with everything', async (t) => {
    const request = {
      url: '/a/b?c=d',
      method: 'POST',
      headers: { 'x-test': 'yes' },
      body: 'gr\u00fc\u00dfe',
    };
    const ended = await run('echo.ts', '--json', '--request', JSON.stringify(request));
    t.same(echoOf(ended), {
      url: 'http://localhost/a/b?c=d',
      method: 'POST',
      header: 'yes',
      body: 'gr\u00fc\u00dfe',
      env: {},
    });
  });

  t.test('a request from standard input', async (t) => {
    const ended = await hatchery(['run', `${folder}/echo.ts`, '--json', '--request', '-'], {
      input: '{"url":"https://example.org/x"}',
    });
    t.equal(echoOf(ended).url, 'https://example.org/x');
  });

  t.test('bytes that are no text', async (t) => {
    const ended = await run('bytes.ts', '--json');
    t.equal(json(ended).bodyBase64, Buffer.from([0xff, 0x00, 0xfe]).toString('base64'));
  });

  t.test('--env wins over --env-file, a later one over an earlier', async (t) => {
    const ended = await run(
      'echo.ts',
      ...['--json', '--env-file', `${folder}/vars.env`],
      ...['--env', 'BOTH=first', '--env', 'BOTH=a=b', '--env', 'EMPTY='],
    );
    t.same(echoOf(ended).env, { FROM_FILE: 'file', BOTH: 'a=b', EMPTY: '' });
  });

  for (const strategy of strategies) {
    t.test(`--strategy ${strategy}`, async (t) => {
      const ended = await run('plain.js', '--strategy', strategy, '--json');
      t.match(json(ended), { status: 200, body: 'plain words\n' });
    });
  }

  t.test('requests that are none: code 2', async (t) => {
    for (const request of [
      '{',
      '[]',
      '{"url":5}',
      '{"url":"/","metod":"GET"}',
      '{"method":"GET"}',
    ]) {
      const ended = await run('plain.js', '--request', request);
      t.equal(ended.code, 2, request);
      t.match(ended.stderr, '--request is not a request');
    }
    const ended = await run('plain.js', '--request', '{"url":"/","body":"x"}');
    t.equal(ended.code, 2, 'GET with a body');
  });

  t.test('--env-file that cannot be read: code 2', async (t) => {
    const ended = await run('plain.js', '--env-file', `${folder}/no.env`);
    t.equal(ended.code, 2);
    t.match(ended.stderr, 'no.env');
  });

  t.test('memory outside the limits: code 2', async (t) => {
    const ended = await run('plain.js', '--memory', '1KiB', '--json');
    t.equal(ended.code, 2);
    t.match(json(ended), { error: { code: 'CONFIGURATION_INVALID' } });
  });

  const failures: [string, string[], string, RegExp][] = [
    ['throws.ts', [], 'FUNCTION_THREW', /no such planet[\s\S]*throws\.ts:2/],
    ['loops.ts', ['--wall-ms', '200'], 'DEADLINE_EXCEEDED', /200 ms/],
    ['eats.ts', ['--memory', '32MiB'], 'MEMORY_EXCEEDED', /memory/],
    ['startup.ts', [], 'STARTUP_FAILED', /too early[\s\S]*startup\.ts:2/],
    ['syntax.ts', [], 'BUNDLE_FAILED', /syntax\.ts:2/],
  ];
  for (const [file, args, error, message] of failures) {
    t.test(`${file}: code 4, ${error}, and where`, async (t) => {
      const ended = await run(file, ...args);
      t.equal(ended.code, 4);
      t.equal(ended.stdout, '');
      t.match(ended.stderr, `[${error}]`);
      t.match(ended.stderr, message);
      const machine = await run(file, ...args, '--json');
      t.equal(machine.code, 4);
      t.equal(json(machine).error.code, error);
    });
  }
});

t.test('what the machine lacks: code 3 and a remedy', async (t) => {
  const folder = t.testdir({ 'plain.js': says('x') });
  const { code, stderr } = await hatchery(['run', `${folder}/plain.js`], {
    env: { HATCHERY_ADDONS: '/nonexistent', HATCHERY_HIDE_KVM: undefined },
  });
  t.equal(code, 3);
  t.match(stderr, '[ADDON_MISSING]');
  t.match(stderr, 'npm run build:addon');
});
