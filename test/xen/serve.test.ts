/** `hatchery serve` and `hatchery run` in a Dom0: each request has a domain of its own. */
import t from 'tap';
import { MAIN, runToEnd, Served } from '../cli/command.js';
import { xenMissing } from './xen-guests.js';

/** By Node's name: the env(1) of the lab's Dom0 cannot split a line. */
const COMMAND = [process.execPath, MAIN];

/** Emulated machines are slow, also at starting a function. */
const TIMES = ['--startup-ms', '60000', '--wall-ms', '60000', '--cpu-ms', '60000'];
const COUNTER = `
  let served = 0;
  export default { fetch: () => new Response(String(++served)) };
`;

t.test('on Xen', { skip: xenMissing() }, async (t) => {
  const folder = t.testdir({ 'counter.ts': COUNTER });
  const file = `${folder}/counter.ts`;

  await t.test('serve finds Xen by itself, and rewinds domains in one process', async (t) => {
    const served = new Served([file, '--queue-ms', '60000', ...TIMES], {}, COMMAND);
    const listening = await served.next('listening');
    t.match(listening, {
      function: 'counter',
      driver: 'xen',
      strategy: 'reset',
      workers: [],
      why: { driver: /the first that works here \(Xen \d+\.\d+.*PVH and PV/ },
    });
    for (let request = 0; request < 5; request++) {
      const response = await fetch(listening.url as string);
      t.equal(await response.text(), '1', 'nothing of the request before is left');
    }
    const { code, stderr } = await served.stop();
    t.equal(code, 0);
    t.match(stderr, /in one process, as root: no wall is around it/);
  });

  await t.test('run answers from a PV domain', async (t) => {
    const args = ['run', file, '--driver', 'xen', '--xen-type', 'pv', '--json', ...TIMES];
    const { code, stdout } = await runToEnd([...COMMAND, ...args, '--strategy', 'pool']);
    t.equal(code, 0);
    t.match(JSON.parse(stdout), { status: 200, body: '1' });
  });

  await t.test('PV domains are not rewound: code 2, and why', async (t) => {
    const args = ['run', file, '--driver', 'xen', '--xen-type', 'pv', '--json', ...TIMES];
    const { code, stdout } = await runToEnd([...COMMAND, ...args, '--strategy', 'reset']);
    t.equal(code, 2);
    t.match(JSON.parse(stdout), { error: { code: 'CONFIGURATION_INVALID', message: /no reset/ } });
  });
});
