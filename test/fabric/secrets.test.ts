/** Secrets, host names, command lines and pool sizes of functions. */
import fc from 'fast-check';
import t from 'tap';
import { checkDefinition } from '../../src/fabric/definition.js';
import { Fabric } from '../../src/fabric/fabric.js';
import { Redaction } from '../../src/fabric/redaction.js';
import { noDriver } from '../drivers/default-driver.js';
import { collectLines } from '../supervisor/functions.js';
import { simulate } from './simulated-fabric.js';

/** No request is sent to it. */
const SILENT = { serve: () => [] };

const SECRET = 'tell "nobody"\\';

t.test('a redaction', async (t) => {
  const redaction = new Redaction({ A: 'abc', B: 'abcdef', C: '$&(' });
  t.equal(
    redaction.apply('abc, abcdef, $&( and xabcx'),
    '[secret A], [secret B], [secret C] and x[secret A]x',
  );
  t.equal(new Redaction({}).apply('as it is'), 'as it is');
  t.equal(new Redaction({ S: SECRET }).apply(JSON.stringify({ S: SECRET })), '{"S":"[secret S]"}');
  const value = fc.string({ minLength: 1, unit: 'grapheme' });
  const marked = value.filter((text) => !/^[secrt SN\][]+$/.test(text));
  fc.assert(
    fc.property(marked, fc.string(), fc.string(), (secret, before, after) => {
      const text = new Redaction({ SN: secret }).apply(before + secret + after);
      return (
        !text.replaceAll('[secret SN]', '').includes(secret) ||
        before.includes('[') ||
        (before + after).includes(secret[0] as string)
      );
    }),
  );
});

t.test('what a definition may say', async (t) => {
  const wrong: [object, string][] = [
    [{ secrets: { S: '' } }, 'secrets.S'],
    [{ secrets: { S: 'x' }, env: { S: 'y' } }, 'secrets.S'],
    [{ hosts: ['localhost'] }, 'hosts.0'],
    [{ hosts: ['app.localhost'] }, 'hosts.0'],
    [{ hosts: ['127.0.0.1'] }, 'hosts.0'],
    [{ hosts: ['UPPER.example'] }, 'hosts.0'],
    [{ hosts: ['a..b'] }, 'hosts.0'],
    [{ poolSize: -1 }, 'poolSize'],
    [{ commandLine: ['a=b'] }, 'commandLine'],
  ];
  for (const [more, path] of wrong) {
    t.throws(() => checkDefinition({ name: 'f', source: '', ...more }), {
      code: 'CONFIGURATION_INVALID',
      message: new RegExp(`^${path}`),
    });
  }
  const image = { name: 'f', image: 'hello' };
  for (const word of ['env=x', 'module=x', 'script=x', 'arguments=x', 'hatchery.port=1', 'a\0b']) {
    t.throws(() => checkDefinition({ ...image, commandLine: [word] }), {
      code: 'CONFIGURATION_INVALID',
      message: /^commandLine.0/,
    });
  }
  const commandLine = ['greeting=a\nb', '--verbose', '=b', 'a b=c', ''];
  t.same(checkDefinition({ ...image, commandLine }).commandLine, commandLine);
});

t.test('a host name is bound to one function, as long as a version says so', async (t) => {
  const { fabric } = await simulate(SILENT);
  t.teardown(() => fabric.close());
  const hosts = ['www.example.com', 'example.com'];
  await fabric.deploy({ name: 'a', image: 'hello', hosts });
  t.equal(fabric.boundTo('example.com'), 'a');
  await t.rejects(fabric.deploy({ name: 'b', image: 'hello', hosts: ['example.com'] }), {
    code: 'HOST_TAKEN',
    details: { host: 'example.com', function: 'a' },
  });
  t.equal(fabric.function('b'), undefined);
  await fabric.deploy({ name: 'a', image: 'hello', hosts: ['www.example.com'] });
  await fabric.deploy({ name: 'b', image: 'hello', hosts: ['example.com'] });
  t.equal(fabric.boundTo('example.com'), 'b');
  t.equal(fabric.boundTo('www.example.com'), 'a');
  await fabric.function('b')?.remove();
  t.equal(fabric.boundTo('example.com'), undefined);
});

const TELLS = `
  export default {
    fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (pathname === '/log') console.log('it is ' + env.S, env);
      if (pathname === '/throw') throw new Error('it is ' + env.S);
      return new Response(env.S);
    },
  };`;

t.test(
  'secrets reach the function, and neither its log nor its traces',
  { skip: noDriver },
  async (t) => {
    const { logger, lines } = collectLines();
    await using fabric = await Fabric.open({ logger });
    const fn = await fabric.deploy({ name: 'f', source: TELLS, secrets: { S: SECRET } });
    t.equal(await (await fn.fetch('http://f/')).text(), SECRET);
    await fn.fetch('http://f/log');
    const error = await fn.fetch('http://f/throw').catch((thrown) => thrown);
    t.equal(error.code, 'FUNCTION_THREW');
    t.ok(error.details.trace.includes('it is [secret S]'));
    const logged = JSON.stringify(lines);
    t.ok(logged.includes('it is [secret S]'));
    for (const text of [logged, error.cause.stack, error.cause.message]) {
      t.notMatch(text, 'nobody');
    }
    const source = `throw new Error(${JSON.stringify(SECRET)})`;
    const failing = fabric.deploy({ name: 'g', source, secrets: { S: SECRET } });
    const failure = await failing.catch((thrown) => thrown);
    t.equal(failure.code, 'STARTUP_FAILED');
    t.notMatch(failure.message, 'nobody');
  },
);

t.test('an image gets the words of its command line; a pool is as large as asked', async (t) => {
  const { fabric, driver } = await simulate(SILENT);
  t.teardown(() => fabric.close());
  const commandLine = ['greeting=salve=x'];
  await fabric.deploy({ name: 'h', image: 'hello', commandLine, strategy: 'pool', poolSize: 3 });
  const loaded = driver.loaded.at(-1);
  t.equal(Buffer.from(loaded?.configuration.get('greeting') ?? []).toString(), 'salve=x');
  t.equal(loaded?.shellsAhead, 3);
});
