import { test } from 'tap';
import type { Binding } from '../../src/fabric/definition.js';
import { bindingContext } from '../../src/fabric/host-calls/binding-context.js';
import { noDriver } from '../drivers/default-driver.js';
import { type Served, serve, URL } from './serve.js';

async function bound(
  bindings: Readonly<Record<string, Binding>>,
  body: string,
  use: (served: Served) => Promise<void>,
): Promise<void> {
  await serve(body, use, { bindings });
}

const json = async ({ fn }: Served): Promise<unknown> => (await fn.fetch(URL)).json();

test('env has the methods that the host binds', { skip: noDriver }, async (t) => {
  const stored = new Map<string, unknown>([['greeting', { text: 'hello', when: new Date(0) }]]);
  const bindings = {
    db: {
      get: async (key: string) => stored.get(key),
      put: (key: string, value: unknown) => void stored.set(key, value),
    },
    double: (value: number) => value * 2,
  };
  const body = `
    const { text, when } = await env.db.get('greeting');
    await env.db.put('number', new Map([[1n, new Uint8Array([1, 2])]]));
    const map = await env.db.get('number');
    return Response.json([env.NAME, text, when.getTime(), [...map.get(1n)], map.size,
      await env.double(21), typeof (await env.db.get('missing'))]);`;
  await bound(bindings, body, async (served) => {
    t.strictSame(await json(served), ['value', 'hello', 0, [1, 2], 1, 42, 'undefined']);
  });
  t.ok(stored.get('number') instanceof Map, 'the host gets the value, too');
});

test('a binding has nothing but its methods, and they stay', { skip: noDriver }, async (t) => {
  const bindings = { db: { get: () => 1, toString: () => 'bound' }, call: () => 2 };
  const body = `
    'use strict';
    const failed = (run) => { try { run(); return false; } catch (error) { return error.name; } };
    return Response.json([
      Object.keys(env), Object.keys(env.db), Object.getPrototypeOf(env.db) === null,
      'constructor' in env.db, 'hasOwnProperty' in env.db,
      failed(() => { env.db.get = 1; }), failed(() => { env.db.more = 1; }),
      failed(() => { delete env.db.get; }), failed(() => { env.call.x = 1; }),
      env.db.get.name, env.call.name, await env.db.toString(),
    ]);`;
  await bound(bindings, body, async (served) => {
    t.strictSame(await json(served), [
      ['NAME', 'db', 'call'],
      ['get', 'toString'],
      true,
      false,
      false,
      'TypeError',
      'TypeError',
      'TypeError',
      'TypeError',
      'get',
      'call',
      'bound',
    ]);
  });
});

test('what the host throws comes without its stack', { skip: noDriver }, async (t) => {
  const thrown: Record<string, () => unknown> = {
    type: () => new TypeError('wrong type'),
    range: () => Object.assign(new RangeError('too far'), { code: 'E_FAR' }),
    own: () => Object.assign(new Error('mine'), { name: 'NotFoundError', code: 404 }),
    text: () => 'only text',
    abort: () => new DOMException('stopped', 'AbortError'),
  };
  const bindings = {
    fail: async (kind: string) => {
      throw thrown[kind]?.();
    },
  };
  const body = `
    const seen = [];
    for (const kind of ['type', 'range', 'own', 'text', 'abort']) {
      const error = await env.fail(kind).catch((reason) => reason);
      seen.push([error instanceof Error, error.constructor.name, error.name, error.message,
        error.code ?? null, /test|node/.test(error.stack)]);
    }
    return Response.json(seen);`;
  await bound(bindings, body, async (served) => {
    t.strictSame(await json(served), [
      [true, 'TypeError', 'TypeError', 'wrong type', null, false],
      [true, 'RangeError', 'RangeError', 'too far', 'E_FAR', false],
      [true, 'Error', 'NotFoundError', 'mine', null, false],
      [true, 'Error', 'Error', 'only text', null, false],
      [true, 'Error', 'AbortError', 'stopped', null, false],
    ]);
  });
});

test('what cannot be copied is a DataCloneError, on either side', { skip: noDriver }, async (t) => {
  let calls = 0;
  const bindings = {
    take: () => {
      calls += 1;
    },
    give: () => ({ method: () => {} }),
  };
  const body = `
    const name = (promise) => promise.then(() => 'nothing', (error) => error.name);
    const cycle = [];
    cycle.push(cycle);
    return Response.json([
      await name(env.take(() => {})), await name(env.take({ a: [Symbol()] })),
      await name(env.take(request)), await name(env.take(Promise.resolve())),
      await name(env.take(cycle)),
      await env.give().catch(({ code, message }) => [code, message]),
    ]);`;
  await bound(bindings, body, async (served) => {
    const names = (await json(served)) as unknown[];
    t.strictSame(names.slice(0, 5), [...Array(4).fill('DataCloneError'), 'nothing']);
    t.match(names[5], ['VALUE_NOT_CLONEABLE', /method/]);
    t.equal(calls, 1);
  });
});

test('an argument is copied when the call is made', { skip: noDriver }, async (t) => {
  const body = `
    const list = [1];
    const promise = env.echo(list);
    list.push(2);
    return Response.json([await promise, list]);`;
  await bound({ echo: (value: unknown) => value }, body, async (served) => {
    t.strictSame(await json(served), [[1], [1, 2]]);
  });
});

test('what takes too long is a TimeoutError', { skip: noDriver }, async (t) => {
  const body = `
    const error = await env.never().catch((reason) => reason);
    return Response.json([error instanceof Error, error.name, error.code, await env.fast()]);`;
  const bindings = { never: () => new Promise(() => {}), fast: () => 'fine' };
  await serve(
    body,
    async (served) => {
      t.strictSame(await json(served), [true, 'TimeoutError', 'HOST_CALL_TIMEOUT', 'fine']);
    },
    { bindings, limits: { hostCallMilliseconds: 300 } },
  );
});

test('large values go in several frames, too large ones are refused', {
  skip: noDriver,
}, async (t) => {
  const body = `
    const bytes = new Uint8Array(900_000).map((_, i) => i % 251);
    const back = await env.echo({ bytes, text: 'ü'.repeat(40_000) });
    const isSame = back.bytes.length === bytes.length && back.bytes.every((b, i) => b === bytes[i]);
    const refused = await env.echo(new Uint8Array(1_100_000)).catch(({ code }) => code);
    const given = await env.give().catch(({ code }) => code);
    return Response.json([isSame, back.text.length, refused, given, await env.echo('still here')]);`;
  const bindings = { echo: (value: unknown) => value, give: () => new Uint8Array(1_100_000) };
  await bound(bindings, body, async (served) => {
    t.strictSame(await json(served), [
      true,
      40_000,
      'HOST_CALL_TOO_LARGE',
      'HOST_CALL_TOO_LARGE',
      'still here',
    ]);
  });
});

test('many calls at a time, with timers among them', { skip: noDriver }, async (t) => {
  let most = 0;
  let running = 0;
  const slow = async (value: number) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 1000 - value * 40));
    running -= 1;
    return value;
  };
  const body = `
    let ticks = 0;
    const order = [];
    const id = setInterval(() => ticks++, 5);
    const values = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const value = await env.slow(i);
      order.push(value);
      return value;
    }));
    clearInterval(id);
    return Response.json([values, order.length, order[0] > order[19], ticks > 2]);`;
  await bound({ slow }, body, async (served) => {
    const values = Array.from({ length: 20 }, (_, i) => i);
    t.strictSame(await json(served), [values, 20, true, true]);
    t.equal(most, 20, 'all at a time');
  });
});

test('a binding is for requests, not for start-up', { skip: noDriver }, async (t) => {
  // `env` is an argument of the handler, so only a handler that is warmed up can try.
  const body = `
    globalThis.seen ??= [];
    try { seen.push(await env.now()); } catch (error) { seen.push(error.message); }
    return Response.json(seen);`;
  const definition = { bindings: { now: () => 1 }, warmUp: true };
  await serve(
    body,
    async (served) => {
      t.match(await json(served), [/env\.now works only while a request is served/, 1]);
    },
    definition,
  );
});

test('work behind the response may call bindings', { skip: noDriver }, async (t) => {
  const told: string[] = [];
  const tell = async (text: string) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    told.push(text);
  };
  const body = `
    ctx.waitUntil(env.tell('first').then(() => env.tell('second')));
    return new Response('at once');`;
  await bound({ tell }, body, async ({ fn }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'at once');
    for (let i = 0; i < 100 && told.length < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.strictSame(told, ['first', 'second']);
  });
});

test('a call that nobody awaits does not keep the instance', { skip: noDriver }, async (t) => {
  let isAborted = false;
  const slow = () =>
    new Promise((resolve) => {
      bindingContext()?.signal.addEventListener('abort', () => {
        isAborted = true;
        resolve(undefined);
      });
    });
  await bound({ slow }, "env.slow(); return new Response('now');", async ({ fn }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'now');
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.ok(isAborted, 'the host is told that it is over');
  });
});
