/**
 * One kind of request in a loop, for profilers to look at, and where its time went by its own
 * timeline. docs/performance.md has the commands.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Strategy, timelineOf } from '../src/index.js';
import { formatNumber } from './harness/report.js';
import { quantile } from './harness/statistics.js';
import { check, url } from './requests.js';
import { deploy, deployImage, type Subject } from './subject.js';

const HELP = `Usage: node dist/bench/profile.js [options]

  --strategy NAME     boot, clone, pool or reset (default reset)
  --seconds N         how long (default 5)
  --pause N           milliseconds between two requests (default 0)
  --image hello       the smallest image, in C, instead of the function in JavaScript
  --parts             fn.request() instead of fn.fetch()
  --help              this text
`;

const { values: options } = parseArgs({
  options: {
    strategy: { type: 'string', default: 'reset' },
    seconds: { type: 'string', default: '5' },
    pause: { type: 'string', default: '0' },
    image: { type: 'string' },
    parts: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Milliseconds of every request, for each phase and in all. */
type Samples = Map<string, number[]>;

function add(samples: Samples, name: string, milliseconds: number): void {
  const values = samples.get(name);
  if (values === undefined) samples.set(name, [milliseconds]);
  else values.push(milliseconds);
}

async function once({ fn }: Subject, number: number, samples: Samples): Promise<void> {
  const request = new Request(url(number));
  const start = performance.now();
  const reply = options.parts ? await fn.request({ url: request.url }) : undefined;
  const response = reply === undefined ? await fn.fetch(request) : undefined;
  const total = performance.now() - start;
  const timeline = reply?.timeline ?? (response && timelineOf(response));
  const text = (await response?.text()) ?? String(reply?.body);
  if (options.image === undefined) check(number, text, fn.name);
  let known = 0;
  for (const [phase, milliseconds] of timeline?.phases() ?? []) {
    add(samples, phase, milliseconds);
    known += milliseconds;
  }
  add(samples, 'outside of all phases', total - known);
  add(samples, 'total', total);
}

function print(samples: Samples): void {
  const total = samples.get('total') ?? [];
  const half = quantile(total, 0.5);
  process.stdout.write(`${total.length} requests\n`);
  for (const [name, values] of samples) {
    const [p50, p99] = [0.5, 0.99].map((share) => quantile(values, share));
    const cells = [p50, p99].map((value) => `${formatNumber((value ?? 0) * 1000)} µs`.padStart(11));
    const share = `${((100 * (p50 ?? 0)) / half).toFixed(0)} %`.padStart(6);
    process.stdout.write(`${name.padEnd(22)} p50${cells[0]} p99${cells[1]} ${share}\n`);
  }
}

async function main(): Promise<void> {
  const strategy = options.strategy as Strategy;
  await using subject = await (options.image === undefined
    ? deploy('hello', strategy)
    : deployImage(options.image, strategy));
  const samples: Samples = new Map();
  const end = performance.now() + Number(options.seconds) * 1000;
  for (let number = 0; performance.now() < end; number++) {
    await once(subject, number, samples);
    if (Number(options.pause) > 0) await sleep(Number(options.pause));
  }
  print(samples);
}

if (options.help) process.stdout.write(HELP);
else await main();
