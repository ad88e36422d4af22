import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { driverless, strategiesOf, untestable } from '../drivers/driver-under-test.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { buildC, PROGRAMS } from './build-c.js';

const skip = untestable;

const SOURCES = ['main.c', 'files.c', 'memory.c', 'process.c'].map((name) => join(PROGRAMS, name));

test('a C program is an image', { skip }, async (t) => {
  const { image, provenance } = await buildC(SOURCES, ['-Wall', '-DX="quoted\\"', '-lm']);
  t.match(provenance, { tools: { gcc: /^\d/, ld: /^\d/, musl: '1.2.3' } });
  t.strictSame(provenance.flags, ['-O2', '-Wall', '-DX="quoted\\"', '-lm']);
  const { logger, lines: logged } = collectingLogger();
  await using fabric = await openFabric({ logger });
  const program = await deploy(fabric, { name: 'program', image });
  const text = async (path: string, options?: RequestInit) =>
    (await program.fetch(`http://program${path}`, options)).text();

  for (const subject of ['files', 'memory', 'process', 'time']) {
    await t.test(`system calls: ${subject}`, async (t) => {
      t.equal(await text(`/${subject}`), 'ok\n');
    });
  }

  await t.test('formats of numbers', async (t) => {
    t.equal(
      await text('/formats'),
      '0.10000000000000001 0x1.8p+0 1.234568e+04 2.500000   3.1|42    |0xff|text|8\n' +
        '0.8414709848 1.4142135624 1e-310\nok\n',
    );
  });

  await t.test('the request is the environment', async (t) => {
    const shown = await program.fetch('http://program/variables?a=b', {
      method: 'PUT',
      headers: { 'x-test': 'a b' },
    });
    t.equal(await shown.text(), 'PUT a=b a b\nok\n');
  });

  await t.test('a body outlasts that the program sleeps', async (t) => {
    for (const bytes of [0, 1, 100_000, 1_000_000]) {
      const body = Buffer.alloc(bytes, 'body ');
      const response = await program.fetch('http://program/echo', { method: 'POST', body });
      t.ok(body.equals(Buffer.from(await response.arrayBuffer())), `${bytes} bytes`);
    }
  });

  await t.test('nothing of a request is there in the next', async (t) => {
    t.equal(await text('/traces'), '3 no file\nok\n');
    t.equal(await text('/traces'), '3 no file\nok\n');
  });

  await t.test('exit runs what is to be run', async (t) => {
    t.equal(await text('/at-exit'), 'at exit\n');
  });

  await t.test('an absent system call is an error and one line in the log', async (t) => {
    t.equal(await text('/absent'), 'ok\n');
    const lines = logged.filter(({ msg }) => msg.includes('no system call 57'));
    t.equal(lines.length, 1);
  });

  await t.test('an instance that lives on says that its program has ended', async (t) => {
    const instance = await program.spawn();
    t.equal(await (await instance.fetch('http://program/traces')).text(), '3 no file\nok\n');
    for (let request = 0; request < 2; request += 1) {
      await t.rejects(instance.fetch('http://program/traces'), {
        code: 'FUNCTION_THREW',
        status: 500,
        details: { name: 'InstanceUsedError', message: /one request in an instance's life/ },
      });
    }
    await instance.kill();
    t.equal(await text('/traces'), '3 no file\nok\n', 'and others are served');
  });

  await t.test('what ends a program is an error', async (t) => {
    await t.rejects(text('/code'), {
      code: 'FUNCTION_THREW',
      details: { name: 'ExitError', message: /exit code 3/ },
    });
    await t.rejects(text('/abort'), { code: 'FUNCTION_CRASHED' });
    await t.rejects(text('/signal'), { code: 'FUNCTION_CRASHED', message: /signal 15/ });
    for (const path of ['/null', '/recurse', '/hidden']) {
      await t.rejects(text(path), { code: 'FUNCTION_CRASHED' }, path);
    }
    t.equal(await text('/at-exit'), 'at exit\n', 'and no other request notices');
  });
});

test('every strategy', { skip }, async (t) => {
  const { image } = await buildC(SOURCES);
  await using fabric = await openFabric();
  for (const strategy of strategiesOf('boot', 'clone', 'pool', 'reset')) {
    const program = await deploy(fabric, { name: strategy, image, strategy });
    for (let i = 0; i < 3; i++) {
      const response = await program.fetch('http://program/traces');
      t.equal(await response.text(), '3 no file\nok\n', strategy);
    }
  }
});

test('the same sources give the same image', { skip: driverless }, async (t) => {
  const folder = t.testdir({});
  const elsewhere = join(folder, 'else where');
  await mkdir(elsewhere);
  for (const name of await readdir(PROGRAMS)) {
    await copyFile(join(PROGRAMS, name), join(elsewhere, name));
  }
  const digests = await Promise.all(
    [PROGRAMS, elsewhere].map(async (place) => {
      const sources = SOURCES.map((source) => join(place, source.slice(PROGRAMS.length)));
      const { image } = await buildC(sources, ['-Wno-builtin-macro-redefined', '-DWHEN=__DATE__']);
      return createHash('sha256')
        .update(await readFile(image))
        .digest('hex');
    }),
  );
  t.equal(digests[0], digests[1]);
});

test('the example with zlib', { skip }, async (t) => {
  const { image } = await buildC(['examples/zlib.c'], ['-lz', '-Wall', '-Werror']);
  await using fabric = await openFabric();
  const zlib = await deploy(fabric, { name: 'zlib', image });
  for (const body of ['', 'body', 'a long body '.repeat(50_000)]) {
    const response = await zlib.fetch('http://zlib/', { method: 'POST', body });
    t.equal(response.headers.get('content-type'), 'application/gzip');
    t.equal(gunzipSync(Buffer.from(await response.arrayBuffer())).toString(), body);
  }
});
