import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import type { ByteStream, FunctionRequest } from '../../src/fabric/message.js';
import { replyWith, until, withFake } from './fake.js';
import { Client } from './http.js';

/** Never answers, and counts the requests of which nobody awaits the answer. */
function waiting() {
  const seen = { begun: 0, gone: 0 };
  const handle = (request: FunctionRequest) => {
    seen.begun += 1;
    request.onGone = () => {
      seen.gone += 1;
    };
    return new Promise<never>(() => {});
  };
  return { seen, handle };
}

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

test('who closes the connection is told to the function, for each request', async (t) => {
  const { seen, handle } = waiting();
  await withFake(handle, async (front) => {
    for (const [requests, close] of [
      [1, (client: Client) => client.socket.destroy()],
      [3, (client: Client) => client.socket.resetAndDestroy()],
      [1, (client: Client) => client.socket.end()],
    ] as const) {
      const client = await Client.open(front.url);
      client.send(GET.repeat(requests));
      await until(() => seen.begun === requests);
      t.equal(seen.gone, 0);
      t.equal(front.inFlight, requests);
      close(client);
      await until(() => front.inFlight === 0);
      t.strictSame(seen, { begun: requests, gone: requests });
      seen.begun = 0;
      seen.gone = 0;
    }
  });
});

test('a client that goes in the middle of a stream ends it', async (t) => {
  let returned = 0;
  const stream: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        await sleep(5);
        return { done: false, value: Buffer.from('chunk') };
      },
      return: async () => {
        returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  await withFake(
    () => replyWith(stream),
    async (front) => {
      const abort = new AbortController();
      const response = await fetch(front.url, { signal: abort.signal });
      t.equal(response.status, 200);
      abort.abort();
      await sleep(50);
      t.ok(returned > 0);
      t.equal(front.inFlight, 0);
    },
  );
});

test('a client that has its answer is not gone', async (t) => {
  let gone = 0;
  const handle = async (request: FunctionRequest) => {
    request.onGone = () => {
      gone += 1;
    };
    return replyWith('done');
  };
  await withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    client.send(GET);
    await client.until(/done$/);
    client.socket.destroy();
    await sleep(30);
    t.equal(gone, 0);
  });
});

test('a stream that nobody waits for any more is ended unread', async (t) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen = { read: 0, returned: 0 };
  const stream: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        seen.read += 1;
        return { done: true, value: undefined };
      },
      return: async () => {
        seen.returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  const handle = async () => {
    await held;
    return replyWith(stream);
  };
  await withFake(handle, async (front) => {
    const client = await Client.open(front.url);
    client.send(GET);
    await until(() => front.inFlight === 1);
    client.socket.destroy();
    await until(() => front.inFlight === 0);
    release();
    await until(() => seen.returned > 0);
    t.equal(seen.read, 0);
  });
});
