/** What `hatchery domain` prints, from facts that are given. What it does: test/xen, in the lab. */
import t from 'tap';
import { stateOf, summaryOf } from '../../src/cli/domain/state.js';
import { usageOf } from '../../src/cli/domain/top.js';
import { tableOf } from '../../src/cli/table.js';
import type { DomainInfo } from '../../src/xen/libxl-info.js';

const domain = (facts: Partial<DomainInfo>): DomainInfo => ({ domid: 1, uuid: 'u1', ...facts });

t.test('one word for a state', async (t) => {
  t.equal(stateOf(domain({ running: true })), 'running');
  t.equal(stateOf(domain({ blocked: true })), 'blocked');
  t.equal(stateOf(domain({ running: true, paused: true })), 'paused');
  t.equal(stateOf(domain({ shutdown: true, shutdown_reason: 'crash' })), 'shut down (crash)');
  t.equal(stateOf(domain({ shutdown: true, dying: true })), 'dying');
});

t.test("Xen's list does not tell PVH and HVM apart, the configuration does", async (t) => {
  t.equal(summaryOf(domain({ domain_type: 'pv' })).type, 'pv');
  t.equal(summaryOf(domain({ domain_type: 'hvm' })).type, 'pvh or hvm');
  t.equal(summaryOf(domain({ domain_type: 'hvm' }), 'pvh').type, 'pvh');
  t.same(summaryOf(domain({})), {
    domid: 1,
    name: null,
    uuid: 'u1',
    type: null,
    state: 'blocked',
    memoryKib: 0,
    vcpus: 0,
    cpuSeconds: 0,
  });
});

t.test('columns are as wide as what is in them, and numbers stand to the right', async (t) => {
  const table = tableOf(
    ['ID', 'NAME', 'CPU S'],
    [
      [0, 'Domain-0', '12.5'],
      [117, 'web', '0.1'],
    ],
  );
  t.equal(table, ' ID  NAME      CPU S\n  0  Domain-0   12.5\n117  web         0.1');
});

t.test('processor time since the sample before, the busiest first', async (t) => {
  const at = (uuid: string, seconds: number) =>
    summaryOf(domain({ uuid, cpu_time: seconds * 1e9 }));
  const usage = usageOf(
    { at: 1000, domains: [at('a', 10), at('b', 5), at('gone', 1)] },
    { at: 3000, domains: [at('a', 10.5), at('b', 7), at('new', 3)] },
  );
  t.same(
    usage.map(({ uuid, cpuPercent }) => [uuid, cpuPercent]),
    [
      ['b', 100],
      ['a', 25],
      ['new', null],
    ],
  );
});
