import { test } from 'tap';
import type { Reply, RequestParts, Strategy } from '../../src/index.js';
import { hasSnapshots, repetitions, tested, untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const SOURCE = `
  export default {
    fetch() {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      return Response.json([crypto.randomUUID(), Math.random(), bytes.join()]);
    },
  };
`;

const REQUEST: RequestParts = { url: 'http://f/' };

/** How many instances each strategy contributes: 20,000 in all, on KVM. Of the cheapest, most. */
const INSTANCES: Readonly<Record<Strategy, number>> = {
  reset: tested.slowness === 1 ? 18_600 : 20,
  clone: repetitions(800, 2),
  pool: repetitions(300, 2),
  boot: repetitions(300, 2),
};

const TOTAL = tested.strategies.reduce((total, strategy) => total + INSTANCES[strategy], 0);
const SHOWN = TOTAL.toLocaleString('en');
const CLIENTS = repetitions(8, 2);

test(`${SHOWN} instances of all strategies draw ${SHOWN} identities`, {
  skip: untestable,
}, async (t) => {
  await using fabric = await openFabric();
  const seen = [new Set<unknown>(), new Set<unknown>(), new Set<unknown>()];
  const draw = async (request: () => Promise<Reply>) => {
    const values = JSON.parse(String((await request()).body)) as unknown[];
    values.forEach((value, index) => {
      seen[index]?.add(value);
    });
  };
  for (const strategy of tested.strategies) {
    const fn = await deploy(fabric, { name: 'identity', source: SOURCE, strategy });
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = client; i < INSTANCES[strategy]; i += CLIENTS) {
        await draw(() => fn.request(REQUEST));
      }
    });
    await Promise.all(clients);
  }
  t.strictSame(
    seen.map((values) => values.size),
    [TOTAL, TOTAL, TOTAL],
  );
});

test('so do the requests of one instance', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'identity', source: SOURCE });
  await using instance = await fn.spawn();
  const seen = new Set<string>();
  const requests = repetitions(500);
  for (let i = 0; i < requests; i += 1) {
    seen.add(String((await instance.request(REQUEST)).body));
  }
  t.equal(seen.size, requests);
});

test('clocks are right to the millisecond', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, {
    name: 'clock',
    source: `
      const atStart = Date.now();
      /** Both clocks at the same moment: nothing comes between the two for long. */
      function readBoth() {
        for (;;) {
          const at = performance.now();
          const now = Date.now();
          if (performance.now() - at < 0.5) return [now, at];
        }
      }
      export default {
        fetch() {
          const first = readBoth();
          while (Date.now() < first[0] + 20);
          const passed = performance.now() - first[1];
          const origin = performance.timeOrigin;
          return Response.json({ atStart, now: first[0], passed, origin, at: first[1] });
        },
      };
    `,
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (let i = 0; i < repetitions(20, 3); i += 1) {
    const before = Date.now();
    const clock = JSON.parse((await fn.request(REQUEST)).body.toString());
    const after = Date.now();
    t.ok(clock.now >= before - 1 && clock.now <= after - 19, `${before} ${clock.now} ${after}`);
    t.ok(clock.passed >= 19 && clock.passed <= after - before + 1, `${clock.passed} ms passed`);
    t.ok(Math.abs(clock.origin + clock.at - clock.now) <= 1.5, 'both clocks agree');
    if (hasSnapshots) t.ok(clock.atStart < before - 50, 'the start was earlier');
    else t.ok(clock.atStart >= before - 1, 'the start was this instance’s own');
  }
});
