/** A histogram for prom-client whose buckets were counted elsewhere: its own can only observe. */
import type { Metric, Registry } from 'prom-client';
import { BOUNDS_SECONDS } from '../../statistics/buckets.js';
import type { Histogram } from '../../statistics/counts.js';

export type Labels = Readonly<Record<string, string>>;

interface Value {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

const BOUNDS = [...BOUNDS_SECONDS.map(String), '+Inf'];
const MILLISECONDS = 1_000;

export class CountedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #values: Value[] = [];

  constructor(registry: Registry, name: string, help: string) {
    this.name = name;
    this.help = help;
    // All that a registry asks of a metric is `get`.
    registry.registerMetric(this as unknown as Metric);
  }

  add(labels: Labels, { count, sumMilliseconds, buckets }: Histogram): void {
    let soFar = 0;
    for (const [index, le] of BOUNDS.entries()) {
      soFar += buckets[index] as number;
      this.#add('bucket', { ...labels, le }, soFar);
    }
    this.#add('sum', labels, sumMilliseconds / MILLISECONDS);
    this.#add('count', labels, count);
  }

  #add(suffix: string, labels: Labels, value: number): void {
    this.#values.push({ metricName: `${this.name}_${suffix}`, labels, value });
  }

  /** For the registry. */
  async get() {
    const { name, help, type } = this;
    return { name, help, type, aggregator: 'sum', values: this.#values };
  }
}
