/** What the environment says of tracing, in the variables that OpenTelemetry's specification names. */
import type { Sampling } from '../front/sampling.js';

export interface TracingSettings {
  /** `undefined` where nothing can be traced. */
  readonly sampling: Sampling | undefined;
  /** What of the environment is not taken as it is, each a sentence. */
  readonly problems: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const SAMPLER = 'OTEL_TRACES_SAMPLER';
const SHARE = 'OTEL_TRACES_SAMPLER_ARG';
const DEFAULT_SAMPLER = 'parentbased_always_on';
/** The only protocol that is spoken. */
const PROTOCOL = 'http/json';

/** Shares of traces that begin here; `undefined`: the share is given. */
const SAMPLERS: Readonly<Record<string, number | undefined>> = {
  always_on: 1,
  always_off: 0,
  traceidratio: undefined,
};
const PARENT_BASED = 'parentbased_';

/** @returns `undefined` where nothing is to be traced. */
export function tracingSettings(environment: Environment): TracingSettings | undefined {
  // Empty ones count as missing.
  const read = (name: string) => environment[name]?.trim() || undefined;
  const variable = read(TRACES_ENDPOINT) === undefined ? ENDPOINT : TRACES_ENDPOINT;
  const endpoint = read(variable);
  if (
    endpoint === undefined ||
    read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' ||
    read('OTEL_TRACES_EXPORTER') === 'none'
  ) {
    return undefined;
  }
  const problems: string[] = [];
  if (!isHttp(endpoint)) {
    problems.push(`${variable} is no URL of HTTP: nothing is traced`);
    return { sampling: undefined, problems };
  }
  const protocol =
    read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? read('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== undefined && protocol !== PROTOCOL) {
    problems.push(`OTLP is spoken as ${PROTOCOL}, not as ${protocol}`);
  }
  return { sampling: samplingOf(read(SAMPLER), read(SHARE), problems), problems };
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function samplingOf(
  given: string | undefined,
  share: string | undefined,
  problems: string[],
): Sampling {
  let name = given ?? DEFAULT_SAMPLER;
  let rootName = name.replace(PARENT_BASED, '');
  if (!Object.hasOwn(SAMPLERS, rootName)) {
    problems.push(`${SAMPLER} is ${name}, which is not known: it is taken as ${DEFAULT_SAMPLER}`);
    name = DEFAULT_SAMPLER;
    rootName = 'always_on';
  }
  return {
    share: SAMPLERS[rootName] ?? shareOf(share, problems),
    followsParent: name.startsWith(PARENT_BASED),
  };
}

function shareOf(text: string | undefined, problems: string[]): number {
  const share = Number(text);
  if (text !== undefined && share >= 0 && share <= 1) {
    return share;
  }
  problems.push(`${SHARE} is no number from 0 to 1: it is taken as 1`);
  return 1;
}
