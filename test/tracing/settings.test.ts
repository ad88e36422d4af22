/** What the environment says of tracing. */
import t from 'tap';
import { tracingSettings } from '../../src/tracing/settings.js';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const ALL = { share: 1, followsParent: true };

t.test('whether anything is traced', async (t) => {
  for (const environment of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
    { OTEL_TRACES_SAMPLER: 'always_on' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' },
    { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
  ]) {
    t.equal(tracingSettings(environment), undefined, JSON.stringify(environment));
  }
  for (const environment of [
    ENDPOINT,
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://user:key@traces.example/v1/traces' },
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'otlp' },
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
  ]) {
    t.same(tracingSettings(environment), { sampling: ALL, problems: [] });
  }
});

t.test('an endpoint that is none', async (t) => {
  for (const endpoint of ['nonsense', 'localhost:4318', 'grpc://127.0.0.1:4317', 'http://']) {
    for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']) {
      const settings = tracingSettings({ ...ENDPOINT, [name]: endpoint });
      t.match(settings, { sampling: undefined, problems: [new RegExp(`^${name} is no URL`)] });
    }
  }
});

t.test('which are sampled', async (t) => {
  const sampled = (sampler: string, share?: string) =>
    tracingSettings({ ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: share });
  const right: [string, string | undefined, number, boolean][] = [
    ['always_on', undefined, 1, false],
    ['always_off', '0.5', 0, false],
    ['traceidratio', '0.25', 0.25, false],
    ['parentbased_always_on', undefined, 1, true],
    ['parentbased_always_off', undefined, 0, true],
    ['parentbased_traceidratio', '0', 0, true],
  ];
  for (const [sampler, given, share, followsParent] of right) {
    t.same(sampled(sampler, given), { sampling: { share, followsParent }, problems: [] }, sampler);
  }
  for (const share of ['', 'half', '-1', '1.5', undefined]) {
    t.match(sampled('traceidratio', share), {
      sampling: { share: 1, followsParent: false },
      problems: [/OTEL_TRACES_SAMPLER_ARG/],
    });
  }
  for (const sampler of ['jaeger_remote', 'constructor', 'parentbased_', '__proto__']) {
    t.match(sampled(sampler), { sampling: ALL, problems: [/OTEL_TRACES_SAMPLER is/] }, sampler);
  }
});

t.test('a protocol that is not spoken is said', async (t) => {
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']) {
    t.match(tracingSettings({ ...ENDPOINT, [name]: 'grpc' }), {
      sampling: ALL,
      problems: [/http\/json, not as grpc/],
    });
  }
});
