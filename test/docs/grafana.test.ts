/** docs/grafana/hatchery.json asks for what a live server has, and for nothing else. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { says, startControl } from '../control/control-under-test.js';
import { noDriver } from '../drivers/default-driver.js';
import { type Family, parse, type Sample } from '../statistics/prometheus-text.js';
import { selectorsOf } from '../statistics/promql.js';

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
  readonly refId: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { name: string; type: string; query: string | { query: string } }[];
  };
  readonly __requires: readonly { readonly type: string; readonly id: string }[];
}

const file = fileURLToPath(new URL('../../../docs/grafana/hatchery.json', import.meta.url));
const dashboard: Dashboard = JSON.parse(readFileSync(file, 'utf8'));
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const WIDTH = 24;
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana that fills it in.
const DATA_SOURCE = '${datasource}';
/** Prometheus adds them to what it scrapes. */
const OF_TARGET = ['instance', 'job'];

t.test('the file is a dashboard', (t) => {
  t.ok(dashboard.schemaVersion >= 39);
  t.equal(dashboard.uid, 'hatchery');
  const ids = dashboard.panels.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, 'each panel has an id of its own');
  const required = dashboard.__requires.map(({ id }) => id);
  const [source] = dashboard.templating.list;
  t.match(source, { name: 'datasource', type: 'datasource', query: 'prometheus' });
  const taken = new Set<string>();
  for (const { title, type, gridPos, datasource, targets = [] } of dashboard.panels) {
    const { x, y, w, h } = gridPos;
    t.ok(x >= 0 && x + w <= WIDTH, title);
    for (let cell = 0; cell < w * h; cell += 1) {
      const at = `${x + (cell % w)} ${y + Math.floor(cell / w)}`;
      if (taken.has(at)) t.fail(`${title} lies over another panel`);
      taken.add(at);
    }
    if (type !== 'row') {
      t.ok(required.includes(type), `${type} is required`);
      t.same(datasource, { type: 'prometheus', uid: DATA_SOURCE });
      t.ok(targets.length > 0 && targets.every((target) => target.datasource.uid === DATA_SOURCE));
      t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
    }
  }
  for (const about of ['Requests by outcome', 'p50', 'p99', 'Queue', 'Instances', 'Crashes']) {
    t.ok(
      panels.some(({ title }) => title.includes(about)),
      about,
    );
  }
  t.end();
});

/** Samples of a metric, histograms by their parts. */
function samplesOf(families: Map<string, Family>, metric: string): readonly Sample[] {
  const all = [...families.values()].flatMap(({ samples }) => samples);
  return all.filter(({ name }) => name === metric);
}

/** Literal alternatives of a matcher; none where it has a variable. */
function valuesOf({ operator, value }: { operator: string; value: string }): string[] {
  if (value.includes('$')) {
    return [];
  }
  return operator.includes('~') ? value.split('|') : [value];
}

t.test('every metric, label and value is there', { skip: noDriver }, async (t) => {
  const server = await startControl({ data: `${t.testdir()}/data` });
  t.teardown(() => server.close());
  await server.ask('PUT', '/v1/functions/app', says('x'));
  await fetch(`${server.front}/app/`);
  const headers = { authorization: `Bearer ${server.token}` };
  const families = parse(await (await fetch(`${server.url}/metrics`, { headers })).text());
  const used = new Set<string>();

  const check = (expression: string, legend = '') => {
    const selectors = selectorsOf(expression);
    for (const { metric, matchers, groupedBy } of selectors) {
      const samples = samplesOf(families, metric);
      t.ok(samples.length > 0, `${metric} is there`);
      used.add(metric.replace(/_(bucket|sum|count)$/, ''));
      const has = (label: string) =>
        OF_TARGET.includes(label) || samples.every(({ labels }) => label in labels);
      for (const label of [...groupedBy, ...matchers.map((matcher) => matcher.label)]) {
        t.ok(has(label), `${metric} has ${label}`);
      }
      for (const matcher of matchers) {
        for (const value of valuesOf(matcher)) {
          const found = samples.some(({ labels }) => labels[matcher.label] === value);
          t.ok(found, `${metric} has ${matcher.label} ${value}`);
        }
      }
      for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
        const isKept = groupedBy.size === 0 ? has(label) : groupedBy.has(label);
        t.ok(isKept, `${label} is left by ${expression}`);
      }
    }
  };
  for (const { expr, legendFormat } of panels.flatMap(({ targets = [] }) => targets)) {
    check(expr, legendFormat);
  }
  for (const { expr } of dashboard.annotations.list) {
    check(expr);
  }
  for (const { name, type, query } of dashboard.templating.list) {
    if (type === 'query') {
      const text = typeof query === 'string' ? query : query.query;
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? [];
      check(selector, `{{${label}}}`);
      t.equal(label, name, 'a variable is named like the label that it chooses');
    }
  }
  const shown = [...families.keys()].filter((name) => !used.has(name));
  t.same(shown, ['hatchery_host_processors'], 'all else is on the dashboard');
});

t.test('the reader of this test takes nothing else', (t) => {
  t.match(
    selectorsOf('histogram_quantile(0.9, sum by (le, a) (rate(m_bucket{b=~"c|d"}[5m]))) / 2 > n'),
    [
      { metric: 'm_bucket', matchers: [{ label: 'b', operator: '=~', value: 'c|d' }] },
      { metric: 'n', matchers: [] },
    ],
  );
  for (const bad of [
    ...['', 'm{', 'm{a}', 'm{a=b}', 'm{a="b"', 'm[5]', 'm[$x]', 'sum(m', 'sum(m))', 'm n'],
    ...['rate(m, n)', 'histogram_quantile(m)', 'sum by a (m)', 'm / ', 'm;', 'foo(m)'],
  ]) {
    t.throws(() => selectorsOf(bad), Error, bad);
  }
  t.end();
});
