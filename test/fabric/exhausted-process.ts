/** Run by exhaustion.test.ts in a process with few descriptors: prints what became of the requests. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fabric, type HatcheryError } from '../../src/index.js';
import { collectingLogger } from './collecting-logger.js';

const REQUESTS = 60;
const { logger, lines } = collectingLogger();
await using fabric = await Fabric.open({ logger, admission: { concurrency: 60, queue: 100 } });
const fn = await fabric.deploy({
  name: 'f',
  source: `export default { async fetch() {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return new Response('ok');
  } };`,
});
const served = () =>
  Promise.all(
    Array.from({ length: REQUESTS }, () =>
      fn.request({ url: 'http://f/' }).then(
        ({ status }) => String(status),
        (error: HatcheryError) => error.code,
      ),
    ),
  );
const open = () => readdirSync('/proc/self/fd').length;
const outcomes = await served();
const shrunk = lines.filter((line) => /fewer instances/.test(line.msg)).length;
// Long enough for the places to come back, and for idle machines to go.
await sleep(Number(process.argv[2]));
const again = await served();
await sleep(6_000);
process.stdout.write(JSON.stringify({ outcomes, shrunk, again, descriptors: open() }));
