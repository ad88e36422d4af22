/** Reads the text format of Prometheus 0.0.4, and nothing that it does not allow. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\\\\\|\\\\n)+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const NUMBER = /^(?:-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|[+-]Inf|NaN)$/;

/**
 * Each family has a help and a type before its samples, once; no series is there twice; histograms have
 * cumulative buckets up to `+Inf`, a sum and a count.
 * @throws Error with the line that is wrong
 */
export function parse(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) {
    throw new Error('the last line has no end');
  }
  const families = new Map<string, { -readonly [Key in keyof Family]: Family[Key] }>();
  const series = new Set<string>();
  let current: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  for (const line of text.split('\n')) {
    const fail = (problem: string): never => {
      throw new Error(`${problem}: ${line}`);
    };
    if (line === '') {
      continue;
    }
    const [, helped, help = ''] = HELP.exec(line) ?? [];
    const [, typed, type = ''] = TYPE.exec(line) ?? [];
    if (helped !== undefined) {
      if (families.has(helped)) fail('a second help');
      current = { name: helped, type: '', help, samples: [] };
      families.set(helped, current);
    } else if (typed !== undefined) {
      if (current?.name !== typed || current.type !== '') fail('a type without its help');
      else current.type = type;
    } else {
      const sample = sampleOf(line) ?? fail('no line of the format');
      if (current === undefined || current.type === '' || !belongs(sample.name, current)) {
        return fail('a sample of no family');
      }
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (series.has(key)) fail('a series twice');
      series.add(key);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) {
    if (family.type === 'histogram') checkHistogram(family);
    if (family.type === 'counter') checkCounter(family);
  }
  return families;
}

function sampleOf(line: string): Sample | undefined {
  const [, name, all = '', text = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined || !NUMBER.test(text)) {
    return undefined;
  }
  const labels: Record<string, string> = {};
  for (const [, label = '', value = ''] of all.matchAll(/([^,=]+)="((?:[^"\\]|\\.)*)"/g)) {
    if (label in labels) {
      return undefined;
    }
    labels[label] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  const value = Number(text.replace('Inf', 'Infinity'));
  return { name, labels, value };
}

function belongs(sample: string, { name, type }: { name: string; type: string }): boolean {
  return type === 'histogram'
    ? ['_bucket', '_sum', '_count'].some((suffix) => sample === name + suffix)
    : sample === name;
}

function checkCounter({ name, samples }: Family): void {
  if (!name.endsWith('_total') || samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name} is no counter`);
  }
}

function checkHistogram({ name, samples }: Family): void {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('Inf', 'Infinity')));
    const isAscending = (all: number[], strictly: boolean) =>
      all.every(
        (one, at) =>
          at === 0 || one > (all[at - 1] as number) || (!strictly && one === all[at - 1]),
      );
    const counts = buckets.map(({ value }) => value);
    const of = (suffix: string) => group.filter((sample) => sample.name === name + suffix);
    const isGood =
      bounds.at(-1) === Number.POSITIVE_INFINITY &&
      isAscending(bounds, true) &&
      isAscending(counts, false) &&
      of('_sum').length === 1 &&
      of('_count').length === 1 &&
      of('_count')[0]?.value === counts.at(-1);
    if (!isGood) {
      throw new Error(`${name} ${key} is no histogram`);
    }
  }
}
