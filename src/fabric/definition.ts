/** What a user deploys, and what is allowed in it. */
import * as v from 'valibot';
import type { Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { AllowList } from './host-calls/allow-list.js';
import {
  DEFAULT_LIMITS,
  type Limits,
  MAX_COUNT,
  MAX_MILLISECONDS,
  MEMORY_BYTES,
} from './limits.js';

/** What a user says of a function; all but `name` and where its code is may be left out. */
export interface FunctionDefinition {
  /** Lower-case letters, digits and hyphens, as in a DNS label: at most 63 characters. */
  readonly name: string;
  /** A TypeScript or JavaScript file, default export `{ fetch(request, env, ctx) }`. */
  readonly file?: string;
  /** The same as text. */
  readonly source?: string;
  /** Where the imports of `source` are looked up. Default: the working directory. */
  readonly folder?: string;
  /**
   * A built image's name, or the path of an ELF file. Default: `js`, which takes `file` or
   * `source`; other images take neither.
   */
  readonly image?: string;
  /** What the function gets as `env`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  /**
   * What the function's `fetch` may reach: `api.example.com`, `*.example.com`, either with `:port`;
   * addresses and networks (`10.1.2.3`, `[::1]:8080`, `10.0.0.0/8`) where an address is not public.
   * Default: nothing.
   */
  readonly allowFetch?: readonly string[];
  /**
   * What the function may call on the host as `env.NAME.METHOD(…)` or `env.NAME(…)`: functions, or
   * objects of functions. Default: nothing.
   */
  readonly bindings?: Readonly<Record<string, Binding>>;
  /** Default: the driver's choice. */
  readonly strategy?: Strategy;
  /**
   * Lets the handler answer a request of the guest's own before the snapshot: the first request is
   * then as fast as any, and what the handler changes is in the snapshot. Default: no.
   */
  readonly warmUp?: boolean;
}

/**
 * A function of the host's that a guest may call. Arguments and result are copied as by structured
 * clone. It may be called with anything that the guest likes, so it checks its arguments.
 */
// biome-ignore lint/suspicious/noExplicitAny: the host's function says what it takes.
export type BoundFunction = (...values: any[]) => unknown;
export type Binding = BoundFunction | Readonly<Record<string, BoundFunction>>;

/** A definition with its defaults filled in. */
export interface CheckedDefinition extends FunctionDefinition {
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly allowFetch: readonly string[];
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly warmUp: boolean;
}

/** The image that runs TypeScript and JavaScript. */
export const JAVASCRIPT_IMAGE = 'js';

/** Largest body that may be asked for: it is held in the host's memory. */
const MAX_BODY_BYTES = 1 << 30;

/** A head has to fit into the window, with some room for its frame. */
const MAX_HEAD_BYTES = 128 * 1024;

const integer = (minimum: number, maximum: number, unit: string) =>
  v.pipe(
    v.number(`must be a number of ${unit}`),
    v.check(
      (value) => Number.isInteger(value) && value >= minimum && value <= maximum,
      `must be a whole number of ${unit} from ${minimum} to ${maximum}`,
    ),
  );

const text = (what: string) => v.pipe(v.string(`must be ${what}`), v.nonEmpty(`must be ${what}`));

const LIMITS = v.strictObject(
  {
    wallMilliseconds: v.optional(integer(1, MAX_MILLISECONDS, 'milliseconds')),
    cpuMilliseconds: v.optional(integer(1, MAX_MILLISECONDS, 'milliseconds')),
    startupMilliseconds: v.optional(integer(1, MAX_MILLISECONDS, 'milliseconds')),
    memoryBytes: v.optional(
      v.pipe(
        integer(MEMORY_BYTES.min, MEMORY_BYTES.max, 'bytes'),
        v.multipleOf(MEMORY_BYTES.step, `must be a multiple of ${MEMORY_BYTES.step}`),
      ),
    ),
    maxRequestHeadBytes: v.optional(integer(1, MAX_HEAD_BYTES, 'bytes')),
    maxRequestBodyBytes: v.optional(integer(0, MAX_BODY_BYTES, 'bytes')),
    maxResponseHeadBytes: v.optional(integer(1, MAX_HEAD_BYTES, 'bytes')),
    maxResponseBodyBytes: v.optional(integer(0, MAX_BODY_BYTES, 'bytes')),
    maxHeaders: v.optional(integer(1, MAX_COUNT, 'headers')),
    maxHostCalls: v.optional(integer(0, MAX_COUNT, 'host calls')),
    maxHostCallsInFlight: v.optional(integer(1, MAX_COUNT, 'host calls')),
    maxHostCallBytes: v.optional(integer(0, MAX_BODY_BYTES, 'bytes')),
    hostCallMilliseconds: v.optional(integer(1, MAX_MILLISECONDS, 'milliseconds')),
    maxLogBytes: v.optional(integer(0, MAX_BODY_BYTES, 'bytes')),
  },
  'must be an object of limits',
);

const DEFINITION = v.strictObject(
  {
    name: v.pipe(
      v.string('must be the name of the function'),
      v.regex(
        /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
        'must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end',
      ),
    ),
    file: v.optional(text('the path of a file')),
    source: v.optional(v.string('must be source text')),
    folder: v.optional(text('the path of a folder')),
    image: v.optional(text("a built image's name or the path of an ELF file")),
    env: v.optional(v.record(v.string(), v.string('must be a string'), 'must be an object')),
    limits: v.optional(LIMITS),
    allowFetch: v.optional(v.array(text('a host, an address or a network'), 'must be an array')),
    bindings: v.optional(
      v.record(
        v.pipe(
          v.string(),
          v.regex(
            /^[A-Za-z_$][\w$]{0,62}$/,
            'must be named by an identifier of up to 63 characters',
          ),
        ),
        v.union(
          [v.function(), v.record(v.string(), v.function())],
          'must be a function or an object of functions',
        ),
        'must be an object',
      ),
    ),
    strategy: v.optional(
      v.picklist(['boot', 'clone', 'pool', 'reset'], 'must be boot, clone, pool or reset'),
    ),
    warmUp: v.optional(v.boolean('must be true or false')),
  },
  'must be an object',
);

/** @throws HatcheryError CONFIGURATION_INVALID with the path of the first field that is wrong. */
export function checkDefinition(definition: unknown): CheckedDefinition {
  const result = v.safeParse(DEFINITION, definition);
  if (!result.success) {
    const [issue] = result.issues;
    const problem =
      issue.type === 'strict_object' && issue.expected === 'never'
        ? 'is not a field that a definition has'
        : issue.message;
    throw invalid(v.getDotPath(issue) ?? 'definition', problem);
  }
  // The schema leaves a field out where it is not given, which its type cannot say.
  const checked = result.output as FunctionDefinition;
  checkCode(checked);
  for (const name of Object.keys(checked.bindings ?? {})) {
    if (Object.hasOwn(checked.env ?? {}, name)) {
      throw invalid(`bindings.${name}`, 'is a variable of env as well');
    }
  }
  new AllowList(checked.allowFetch ?? []);
  return {
    ...checked,
    image: checked.image ?? JAVASCRIPT_IMAGE,
    env: checked.env ?? {},
    limits: { ...DEFAULT_LIMITS, ...checked.limits },
    allowFetch: checked.allowFetch ?? [],
    // The user's own objects, not the schema's copies: their methods may need their state.
    bindings: (definition as FunctionDefinition).bindings ?? {},
    warmUp: checked.warmUp ?? false,
  };
}

function checkCode(definition: FunctionDefinition): void {
  const { file, source, folder, image } = definition;
  if (folder !== undefined && source === undefined) {
    throw invalid('folder', 'goes only with source');
  }
  if (image !== undefined && image !== JAVASCRIPT_IMAGE) {
    if (file !== undefined || source !== undefined) {
      throw invalid('image', `${image} takes neither file nor source`);
    }
  } else if ((file === undefined) === (source === undefined)) {
    throw invalid('file', 'either it or source must be given');
  }
}

function invalid(path: string, problem: string): HatcheryError {
  return new HatcheryError('CONFIGURATION_INVALID', { path, problem });
}
