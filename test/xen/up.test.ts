/** `hatchery up` in a Dom0: functions, instances and the pages of a server whose machines are domains. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { HatcheryClient } from '../../src/client/index.js';
import { MAIN, Served } from '../cli/command.js';
import { listDomains, livingDomains } from './domain-list.js';
import { xenMissing } from './xen-guests.js';

/** By Node's name: the env(1) of the lab's Dom0 cannot split a line. */
const COMMAND = [process.execPath, MAIN];

/** Emulated machines are slow, also at starting a function. */
const LIMITS = {
  startupMilliseconds: 60_000,
  wallMilliseconds: 60_000,
  cpuMilliseconds: 60_000,
} as const;
const COUNTER = `
  let served = 0;
  export default { fetch: () => new Response(String(++served)) };
`;

t.test('a server on Xen', { skip: xenMissing() }, async (t) => {
  const data = `${t.testdir()}/data`;
  const options = ['--driver', 'xen', '--control-port', '0', '--data', data, '--queue-ms', '60000'];
  const served = new Served(options, {}, COMMAND, 'up');
  const listening = await served.next('listening');
  t.match(listening, { driver: 'xen' });
  const client = new HatcheryClient({
    server: String(listening.control),
    token: readFileSync(`${data}/token`, 'utf8').trim(),
  });
  const deployed = await client.functions.deploy('counter', {
    bundle: { code: COUNTER },
    limits: LIMITS,
  });
  t.match(deployed, { name: 'counter', strategy: 'reset' });

  await t.test('a function is served by domains, and its requests are accounted for', async (t) => {
    let id = '';
    for (let request = 0; request < 3; request += 1) {
      const response = await fetch(`${listening.url}/counter/`);
      t.equal(await response.text(), '1');
      id = response.headers.get('x-request-id') ?? '';
    }
    t.match(await client.request(id), {
      function: 'counter',
      timeline: { spawn: Number, guest: Number },
      usage: { cpuMicroseconds: Number, peakMemoryBytes: Number },
    });
    t.match(await client.functions.request('counter'), { status: 200, body: '1' });
  });

  await t.test('an instance is a domain until it is ended', async (t) => {
    const before = livingDomains().length;
    const { id } = await client.instances.spawn({ function: 'counter' });
    t.match(await client.instances.request(id), { status: 200, body: '1' });
    t.match(await client.instances.request(id), { status: 200, body: '2' }, 'it keeps its state');
    t.ok(livingDomains().length > before);
    await client.instances.kill(id);
    t.equal((await client.instances.get(id)).state, 'ended');
  });

  await t.test('statistics, metrics and the dashboard tell of it', async (t) => {
    const statistics = JSON.stringify(await client.statistics());
    t.match(statistics, '"counter"');
    const metrics = await fetch(`${listening.control}/metrics`, {
      headers: { authorization: `Bearer ${readFileSync(`${data}/token`, 'utf8').trim()}` },
    });
    t.match(await metrics.text(), /hatchery_requests_total\{[^}]*function="counter"/);
    t.equal((await fetch(`${listening.control}/dashboard/`)).status, 200);
  });

  const { code } = await served.stop();
  t.equal(code, 0);
  t.strictSame(await listDomains(), [], 'no domain is left');
});
