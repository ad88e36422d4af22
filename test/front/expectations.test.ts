import { test } from 'tap';
import { echo, withFake } from './fake.js';
import { Client, jsonOf, statusesOf } from './http.js';

const ASK = 'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n';

test('100 comes before the body, and the answer after it', (t) =>
  withFake(echo, async ({ url }) => {
    const client = await Client.open(url);
    client.send(`${ASK}Content-Length: 4\r\n\r\n`);
    await client.until(/100 Continue\r\n\r\n$/);
    client.send('body');
    t.match(jsonOf(await client.until(/\}$/)), { body: 'body' });
    t.strictSame(statusesOf(client.text), [100, 200]);
    // The connection goes on, and the header is for this server only.
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.until(/200.*200.*\}$/s);
    t.notMatch(client.text, '"expect"');
    client.socket.destroy();
  }));

test('no 100 comes where the answer is no already', (t) =>
  withFake(
    echo,
    async ({ url }) => {
      for (const [more, status] of [
        ['Content-Length: 9\r\n', 413],
        ['Content-Length: 8\r\nHost: h\r\n', 400],
        ['Content-Length: 8\r\nUpgrade: websocket\r\n', 501],
      ] as const) {
        const client = await Client.open(url);
        client.send(`${ASK}${more}\r\n`);
        await client.closed;
        t.strictSame(statusesOf(client.text), [status]);
        t.match(client.text, /^Connection: close\r$/m);
      }
    },
    { limits: { maxRequestBodyBytes: 8 } },
  ));

test('other expectations fail', (t) =>
  withFake(echo, async ({ url }) => {
    const client = await Client.open(url);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nExpect: a-miracle\r\n\r\n');
    t.match(jsonOf(await client.until(/\}$/)), { code: 'EXPECTATION_FAILED', requestId: /./ });
    t.strictSame(statusesOf(client.text), [417]);
    client.socket.destroy();
  }));

test('nothing is to be expected of a server by HTTP/1.0', (t) =>
  withFake(echo, async ({ url }) => {
    const client = await Client.open(url);
    client.send('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na');
    await client.closed;
    t.strictSame(statusesOf(client.text), [200]);
  }));

test('a pipelined request is not told to continue before its turn', (t) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handle: typeof echo = async (request) => {
    if (request.url.endsWith('/slow')) {
      await held;
    }
    return echo(request);
  };
  return withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    client.send(`GET /slow HTTP/1.1\r\nHost: h\r\n\r\n${ASK}Content-Length: 4\r\n\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(client.text, '');
    release();
    await client.until(/100 Continue\r\n\r\n$/);
    client.send('body');
    await client.until(/"body":"body"/);
    t.strictSame(statusesOf(client.text), [200, 100, 200]);
    client.socket.destroy();
    // One that does not wait gets no 100 in the middle of its answer.
    const hasty = await Client.open(url);
    hasty.send(`GET /slow HTTP/1.1\r\nHost: h\r\n\r\n${ASK}Content-Length: 4\r\n\r\nbody`);
    await hasty.until(/"body":"body"/);
    t.match(statusesOf(hasty.text).join(), /^200,(100,)?200$/);
    hasty.socket.destroy();
  });
});
