/** A reading of the statistics in the text format of Prometheus. */
import { Counter, Gauge, Registry } from 'prom-client';
import { type Counts, OUTCOMES } from '../../statistics/counts.js';
import type { Reading } from '../../statistics/reading.js';
import { COLD_PHASES, PHASES } from '../../timeline.js';
import type { Usage } from '../../usage.js';
import { hostFacts } from '../statistics.js';
import { CountedHistogram, type Labels } from './counted-histogram.js';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

export interface BuildFacts {
  readonly version: string;
  readonly driver: string;
}

/** Requests of functions that are not named, together; no function can be called so. */
const OTHERS = '(other)';
const NAMELESS = '';

const MICROSECONDS = 1_000_000;
const MILLISECONDS = 1_000;

export async function expose(reading: Reading, build: BuildFacts): Promise<Exposition> {
  const registry = new Registry();
  const families = new Families(registry);
  exposeServer(families, reading, build);
  const rows = rowsOf(reading);
  exposeRequests(families, rows, reading.all);
  exposeUsage(families, rows);
  exposeLoad(families, reading);
  exposeProcesses(families, reading);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** Each number with its labels. */
type Samples = readonly (readonly [Labels, number])[];

/** Metrics that are filled when they are made, since all numbers are known. */
class Families {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  counter(name: string, help: string, samples: Samples): void {
    const metric = new Counter(this.#settings(name, help, samples));
    for (const [labels, value] of samples) {
      metric.inc(labels, value);
    }
  }

  gauge(name: string, help: string, samples: Samples): void {
    const metric = new Gauge(this.#settings(name, help, samples));
    for (const [labels, value] of samples) {
      metric.set(labels, value);
    }
  }

  histogram(name: string, help: string): CountedHistogram {
    return new CountedHistogram(this.#registry, name, help);
  }

  #settings(name: string, help: string, samples: Samples) {
    const labelNames = Object.keys(samples[0]?.[0] ?? {});
    return { name, help, labelNames, registers: [this.#registry] };
  }
}

function one(value: number): Samples {
  return [[{}, value]];
}

function exposeServer(families: Families, reading: Reading, { version, driver }: BuildFacts): void {
  const build = [[{ version, driver }, 1]] as const;
  families.gauge('hatchery_build_info', 'The version that runs, and its driver.', build);
  families.gauge(
    'hatchery_start_time_seconds',
    'Since when is counted, in seconds since 1970.',
    one(reading.startedAt / MILLISECONDS),
  );
}

/** What is told of each function, by the name that it has in metrics. */
type Rows = readonly (readonly [string, Counts])[];

function rowsOf({ functions, nameless, others }: Reading): Rows {
  const named = functions.filter(({ isNamed }) => isNamed);
  return [
    ...named.map(({ name, counts }) => [name, counts] as const),
    [OTHERS, others],
    [NAMELESS, nameless],
  ];
}

function exposeRequests(families: Families, rows: Rows, all: Counts): void {
  families.counter(
    'hatchery_requests_total',
    'Requests that have ended, by how.',
    rows.flatMap(([name, counts]) => {
      const outcomes = counts.outcomes();
      return OUTCOMES.map((outcome) => [{ function: name, outcome }, outcomes[outcome]] as const);
    }),
  );
  const durations = families.histogram(
    'hatchery_request_duration_seconds',
    "From a request's arrival to the end of its reply.",
  );
  for (const [name, counts] of rows) {
    durations.add({ function: name }, counts.histogram('total'));
  }
  const phases = families.histogram(
    'hatchery_phase_duration_seconds',
    'Of the phases of requests, all functions together.',
  );
  for (const phase of [...PHASES, ...COLD_PHASES]) {
    phases.add({ phase }, all.histogram(phase));
  }
}

function exposeUsage(families: Families, rows: Rows): void {
  const each = (value: (usage: Required<Usage>) => number): Samples =>
    rows.map(([name, counts]) => [{ function: name }, value(counts.usage())]);
  families.counter(
    'hatchery_guest_cpu_seconds_total',
    'Processor time that guests took.',
    each(({ cpuMicroseconds }) => cpuMicroseconds / MICROSECONDS),
  );
  families.counter(
    'hatchery_guest_dirtied_bytes_total',
    'Memory that guests have written, as far as the driver knows it.',
    each(({ dirtyMemoryBytes }) => dirtyMemoryBytes),
  );
  families.gauge(
    'hatchery_guest_peak_memory_bytes',
    'The most memory that one request had since the start.',
    each(({ peakMemoryBytes }) => peakMemoryBytes),
  );
  families.counter(
    'hatchery_received_bytes_total',
    'Bytes of requests.',
    each(({ bytesIn }) => bytesIn),
  );
  families.counter(
    'hatchery_sent_bytes_total',
    'Bytes of responses.',
    each(({ bytesOut }) => bytesOut),
  );
  families.counter(
    'hatchery_host_calls_total',
    'What guests asked of the host.',
    each(({ hostCalls }) => hostCalls),
  );
}

function exposeLoad(families: Families, { functions, load }: Reading): void {
  const ready = functions.reduce((sum, { pool }) => sum + pool.ready, 0);
  families.gauge('hatchery_instances', 'Virtual machines, by what they do.', [
    [{ state: 'running' }, load.running],
    [{ state: 'ready' }, ready],
    [{ state: 'spawned' }, load.spawned],
  ]);
  families.gauge('hatchery_instances_limit', 'How many may run now.', one(load.limit));
  families.gauge('hatchery_queue_requests', 'Requests that wait.', one(load.waiting));
  families.gauge('hatchery_queue_limit', 'How many may wait.', one(load.queueLimit));
}

function exposeProcesses(families: Families, { processes, restarts }: Reading): void {
  families.gauge(
    'hatchery_worker_resident_memory_bytes',
    'Memory of the processes that serve.',
    processes.map(({ label, residentBytes }) => [{ worker: label }, residentBytes] as const),
  );
  families.counter(
    'hatchery_worker_restarts_total',
    'Workers that died and were replaced.',
    one(restarts),
  );
  const { totalBytes, availableBytes, processors } = hostFacts();
  families.gauge('hatchery_host_memory_bytes', 'Memory of the machine.', one(totalBytes));
  families.gauge(
    'hatchery_host_memory_available_bytes',
    'What of it can be had without swapping.',
    one(availableBytes),
  );
  families.gauge('hatchery_host_processors', 'Processors of the machine.', one(processors));
}
