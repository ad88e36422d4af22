import { test } from 'tap';
import type { Reply, RequestParts, Strategy } from '../../src/index.js';
import { Fabric } from '../../src/index.js';
import { noKvm } from './kvm.js';

const SOURCE = `
  export default {
    fetch() {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      return Response.json([crypto.randomUUID(), Math.random(), bytes.join()]);
    },
  };
`;

const REQUEST: RequestParts = { url: 'http://f/' };

/** How many instances each strategy contributes: 20,000 in all. */
const INSTANCES: Readonly<Record<Strategy, number>> = {
  reset: 18_600,
  clone: 800,
  pool: 300,
  boot: 300,
};

test('20,000 instances of all strategies draw 20,000 identities', { skip: noKvm }, async (t) => {
  await using fabric = await Fabric.open();
  const seen = [new Set<unknown>(), new Set<unknown>(), new Set<unknown>()];
  const draw = async (request: () => Promise<Reply>) => {
    const values = JSON.parse(String((await request()).body)) as unknown[];
    values.forEach((value, index) => {
      seen[index]?.add(value);
    });
  };
  for (const [strategy, count] of Object.entries(INSTANCES)) {
    const fn = await fabric.deploy({
      name: 'identity',
      source: SOURCE,
      strategy: strategy as Strategy,
    });
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let i = client; i < count; i += 8) {
        await draw(() => fn.request(REQUEST));
      }
    });
    await Promise.all(clients);
  }
  t.strictSame(
    seen.map((values) => values.size),
    [20_000, 20_000, 20_000],
  );
});

test('so do the requests of one instance', { skip: noKvm }, async (t) => {
  await using fabric = await Fabric.open();
  const fn = await fabric.deploy({ name: 'identity', source: SOURCE });
  await using instance = await fn.spawn();
  const seen = new Set<string>();
  for (let i = 0; i < 500; i += 1) {
    seen.add(String((await instance.request(REQUEST)).body));
  }
  t.equal(seen.size, 500);
});

test('clocks are right to the millisecond', { skip: noKvm }, async (t) => {
  await using fabric = await Fabric.open();
  const fn = await fabric.deploy({
    name: 'clock',
    source: `
      const atStart = Date.now();
      export default {
        fetch() {
          const first = [Date.now(), performance.now()];
          while (Date.now() < first[0] + 20);
          const passed = performance.now() - first[1];
          const origin = performance.timeOrigin;
          return Response.json({ atStart, now: first[0], passed, origin, at: first[1] });
        },
      };
    `,
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (let i = 0; i < 20; i += 1) {
    const before = Date.now();
    const clock = JSON.parse((await fn.request(REQUEST)).body.toString());
    const after = Date.now();
    t.ok(clock.now >= before - 1 && clock.now <= after - 19, `${before} ${clock.now} ${after}`);
    t.ok(clock.passed >= 19 && clock.passed <= after - before + 1, `${clock.passed} ms passed`);
    t.ok(Math.abs(clock.origin + clock.at - clock.now) <= 1.5, 'both clocks agree');
    t.ok(clock.atStart < before - 50, 'the start was earlier');
  }
});
