import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { HatcheryError } from '../../src/errors.js';
import type { FunctionRequest } from '../../src/fabric/message.js';
import { bodyOf, replyWith, until, withFake } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

async function handle(request: FunctionRequest) {
  const path = new URL(request.url).pathname;
  if (path === '/slow') {
    await sleep(50);
  } else if (path === '/fail') {
    throw new HatcheryError('FUNCTION_THREW');
  } else if (path === '/stream') {
    async function* parts() {
      yield Buffer.from('part one, ');
      await sleep(20);
      yield Buffer.from(`part two of ${path}\n`);
    }
    return replyWith(parts());
  }
  return replyWith(`${path} ${await bodyOf(request)}\n`);
}

test('50 pipelined requests are answered in their order', (t) =>
  withFake(handle, async ({ url }) => {
    let bytes = '';
    const expected: RegExp[] = [];
    for (let i = 0; i < 49; i += 1) {
      const path = { 5: '/slow', 10: '/fail', 20: '/stream' }[i] ?? `/${i}`;
      const body = i === 30 ? 'Content-Length: 4\r\n\r\nbody' : '\r\n';
      bytes += `${i === 30 ? 'POST' : 'GET'} ${path} HTTP/1.1\r\nHost: h\r\n${body}`;
      expected.push(path === '/fail' ? /FUNCTION_THREW/ : new RegExp(`${path} ?`));
    }
    bytes += lines('GET /last HTTP/1.1', 'Host: h');
    const answer = await exchange(url, bytes);
    const answers = answer.split('HTTP/1.1 ').slice(1);
    t.equal(answers.length, 50);
    expected.forEach((pattern, i) => {
      t.match(answers[i], pattern);
    });
    t.match(answers[30], '/30 body');
    t.match(answers[49], '/last');
  }));

test('what cannot be read is answered last, and what came before it first', (t) =>
  withFake(handle, async ({ url }) => {
    const get = 'GET /slow HTTP/1.1\r\nHost: h\r\n\r\n';
    const answer = await exchange(url, `${get}${get}GET / HTTP/1.1\r\nno header\r\n\r\n`);
    t.strictSame(statusesOf(answer), [200, 200, 400]);
    t.match(answer, /\/slow \n.*\/slow \n.*"code":"INVALID_ARGUMENT"/s);
    const tunnel = await exchange(url, `${get}CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n`);
    t.strictSame(statusesOf(tunnel), [200, 405]);
  }));

test('what comes behind the last request of a client is nobody\u2019s', (t) =>
  withFake(handle, async ({ url }) => {
    const answer = await exchange(
      url,
      `${lines('GET /slow HTTP/1.1', 'Host: h')}${lines('GET /more HTTP/1.1', 'Host: h')}`,
    );
    t.strictSame(statusesOf(answer), [200]);
  }));

test('one connection cannot fill the line for all', (t) => {
  let asked = 0;
  const forever = () => {
    asked += 1;
    return new Promise<never>(() => {});
  };
  return withFake(forever, async (front) => {
    const client = await Client.open(front.url);
    const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
    client.send(get.repeat(130));
    await until(() => front.inFlight === 130);
    t.equal(asked, 100);
    client.socket.destroy();
    await until(() => front.inFlight === 0);
  });
});

test('the 101st pipelined request is OVERLOADED', async (t) => {
  let served = 0;
  const count = async () => {
    served += 1;
    await sleep(50);
    return replyWith('{}');
  };
  await withFake(count, async ({ url }) => {
    const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
    const answer = await exchange(url, get.repeat(100) + lines('GET / HTTP/1.1', 'Host: h'));
    t.equal(served, 100);
    t.strictSame(statusesOf(answer), [...Array(100).fill(200), 503]);
    t.match(jsonOf(answer.slice(answer.lastIndexOf('HTTP/1.1'))), { code: 'OVERLOADED' });
    t.match(answer, /^Retry-After: 1\r$/m);
  });
});

test('a connection is kept for the next request', (t) =>
  withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    for (let i = 0; i < 5; i += 1) {
      client.send(`GET /n${i} HTTP/1.1\r\nHost: h\r\n\r\n`);
      await client.until(new RegExp(`/n${i} \n$`));
    }
    t.match(client.text, /^Keep-Alive: timeout=72\r$/m);
    t.equal(statusesOf(client.text).length, 5);
    client.socket.destroy();
    const old = await exchange(url, 'GET /old HTTP/1.0\r\n\r\n');
    t.match(old, /\/old \n$/);
  }));

test('nothing comes after an upgrade that is ignored', (t) =>
  withFake(handle, async ({ url }) => {
    // Node's parser would lose the start of what follows, and take its body for a request.
    const upgrade = 'Host: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n';
    const next = 'POST /next HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n';
    for (const [request, seen] of [
      [`GET /a HTTP/1.1\r\n${upgrade}\r\n`, /\/a \n$/],
      [`POST /b HTTP/1.1\r\n${upgrade}Content-Length: 4\r\n\r\nbody`, /\/b body\n$/],
      [
        `POST /c HTTP/1.1\r\n${upgrade}Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n`,
        /\/c more\n$/,
      ],
    ] as const) {
      const client = await Client.open(url);
      client.send(request + next);
      client.send('GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n');
      await client.closed;
      t.strictSame(statusesOf(client.text), [200]);
      t.match(client.text, /^Connection: close\r$/m);
      t.match(client.text, seen);
    }
  }));
