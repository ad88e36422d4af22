import { Agent, get } from 'node:http';
import { test } from 'tap';
import { startFront } from '../../src/index.js';
import {
  milliseconds,
  repetitions,
  strategiesOf,
  untestable,
} from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const CONNECTIONS = repetitions(16, 2);
const REQUESTS = repetitions(20_000);
/** Of the strategies that are slower. */
const FEWER_REQUESTS = repetitions(200, 3);

/** Sends `count` GET requests over one connection each, and counts the answers by their text. */
async function load(url: string, count: number): Promise<Map<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answers = new Map<string, number>();
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await text(url, agent);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  return answers;
}

function text(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

const COUNTER = `
  let count = 0;
  export default { fetch: () => new Response(String(++count)) };
`;

const noReset = strategiesOf('reset').length === 0 && 'nothing is rewound by this driver';

test('two requests can never see each other', { skip: untestable || noReset }, async (t) => {
  await using fabric = await openFabric();
  await deploy(fabric, { name: 'counter', source: COUNTER, strategy: 'reset' });
  const front = await startFront(fabric, { functionName: 'counter' });
  t.strictSame([...(await load(front.url, REQUESTS))], [['1', REQUESTS]]);
  await front.close();
});

test('neither do they with the other strategies', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  for (const strategy of strategiesOf('boot', 'clone', 'pool')) {
    await deploy(fabric, { name: 'counter', source: COUNTER, strategy });
    const front = await startFront(fabric, { functionName: 'counter' });
    const answers = await load(front.url, FEWER_REQUESTS);
    t.strictSame([...answers], [['1', FEWER_REQUESTS]], strategy);
    await front.close();
  }
});

test('a body that is never read leaves nothing', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, {
    name: 'reader',
    source: `
      export default {
        async fetch(request) {
          return request.method === 'PUT' ? new Response('unread') : new Response(await request.text());
        },
      };
    `,
  });
  const secret = Buffer.alloc(1 << 20, 'secret ');
  for (let i = 0; i < repetitions(20, 2); i += 1) {
    const unread = await fn.request({ url: 'http://f/', method: 'PUT', body: secret });
    t.equal(unread.body.toString(), 'unread');
    const short = await fn.request({ url: 'http://f/', method: 'POST', body: Buffer.from('mine') });
    t.equal(short.body.toString(), 'mine');
    const none = await fn.request({ url: 'http://f/', method: 'POST' });
    t.equal(none.body.toString(), '');
  }
});

test('an instance keeps its state until it is killed', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'counter', source: COUNTER });
  await using instance = await fn.spawn();
  const count = async () => (await instance.fetch('http://f/')).text();
  t.strictSame(await Promise.all([count(), count(), count()]), ['1', '2', '3']);
  t.equal(await (await fn.fetch('http://f/')).text(), '1', 'others do not see it');
  t.equal(instance.alive, true);
  await instance.kill();
  t.equal(instance.alive, false);
  await t.rejects(instance.fetch('http://f/'), { code: 'INSTANCE_GONE', status: 410 });
});

test('killing an instance ends what it does', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, {
    name: 'loop',
    source: 'export default { fetch() { for (;;); } };',
  });
  const instance = await fn.spawn();
  const running = t.rejects(instance.fetch('http://f/'), { code: 'INSTANCE_GONE' });
  const start = performance.now();
  setTimeout(() => instance.kill(), milliseconds(50));
  await running;
  t.ok(performance.now() - start < milliseconds(2000), 'long before its deadline');
});
