/** What a user deploys, and what is allowed in it. */
import * as v from 'valibot';
import type { Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { AllowList } from './host-calls/allow-list.js';
import {
  type Limits,
  MAX_COUNT,
  MAX_HEAD_BYTES,
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
   * The name of an image of the package or of a stored one, the digest of a stored one
   * (`sha256:…`), or the path of an ELF file. Default: `js`, which takes `file` or `source`, as does
   * `lua` with a script in Lua; other images take neither.
   */
  readonly image?: string;
  /**
   * Host names whose requests go to this function where a front routes by name. Default: none; it is
   * reached as `NAME.localhost` and by the path `/NAME/` there.
   */
  readonly hosts?: readonly string[];
  /** What the function gets as `env`, and an image as its environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The same, but their values are taken out of what the function logs and of its traces. */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * Words for an image: the arguments of its program, behind the function's name. Those that are
   * `NAME=VALUE` are items of its configuration, too. The JavaScript image takes none.
   */
  readonly commandLine?: readonly string[];
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
  /** How many virtual machines are kept ready, in each process that serves. Default: the strategy's. */
  readonly poolSize?: number;
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
  readonly hosts: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly commandLine: readonly string[];
  /** As they were given: an image has defaults of its own. */
  readonly limits: Partial<Limits>;
  readonly allowFetch: readonly string[];
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly warmUp: boolean;
}

/** The image that runs TypeScript and JavaScript. */
export const JAVASCRIPT_IMAGE = 'js';
/** The image that runs scripts in Lua. */
export const LUA_IMAGE = 'lua';

/** Images whose functions have code of their own. */
export function takesCode(image: string): boolean {
  return image === JAVASCRIPT_IMAGE || image === LUA_IMAGE;
}

/** Largest body that may be asked for: it is held in the host's memory. */
const MAX_BODY_BYTES = 1 << 30;

/** Each is a virtual machine with its memory. */
export const MAX_POOL_SIZE = 1_024;

/** A function's name: it is part of URLs and host names. */
export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';

/**
 * A host name in lower case that has a dot, is no IPv4 address, and is not below `localhost`, where
 * names are given already.
 */
export const HOST_PATTERN =
  '^(?=.{3,253}$)(?!.*[.]localhost$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$';

/** A word of a command line. What images get from Hatchery itself cannot be set. */
export const WORD_PATTERN =
  '^(?!(name|env|environment|arguments|bindings|limits|module|script|hatchery[.]\\w*)=)[^\\0]*$';
/** A word that is an item of the image's configuration. */
export const ITEM_PATTERN = /^([\w.-]{1,63})=(.*)$/s;

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
        new RegExp(NAME_PATTERN),
        'must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end',
      ),
    ),
    file: v.optional(text('the path of a file')),
    source: v.optional(v.string('must be source text')),
    folder: v.optional(text('the path of a folder')),
    image: v.optional(text('the name or digest of an image, or the path of an ELF file')),
    hosts: v.optional(
      v.array(
        v.pipe(
          v.string('must be a host name'),
          v.regex(new RegExp(HOST_PATTERN), 'must be a host name in lower case, with a dot'),
        ),
        'must be an array',
      ),
    ),
    env: v.optional(v.record(v.string(), v.string('must be a string'), 'must be an object')),
    secrets: v.optional(
      v.record(v.string(), text('a string that is not empty'), 'must be an object'),
    ),
    commandLine: v.optional(
      v.array(
        v.pipe(
          v.string('must be a word'),
          v.regex(
            new RegExp(WORD_PATTERN, 's'),
            'must be a word without NUL, and not NAME=VALUE with a name of Hatchery',
          ),
        ),
        'must be an array',
      ),
    ),
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
    poolSize: v.optional(integer(0, MAX_POOL_SIZE, 'virtual machines')),
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
  checkEnvironment(checked);
  for (const name of Object.keys(checked.secrets ?? {})) {
    if (Object.hasOwn(checked.env ?? {}, name) || Object.hasOwn(checked.bindings ?? {}, name)) {
      throw invalid(`secrets.${name}`, 'is a variable or a binding as well');
    }
  }
  new AllowList(checked.allowFetch ?? []);
  return {
    ...checked,
    image: checked.image ?? JAVASCRIPT_IMAGE,
    hosts: checked.hosts ?? [],
    env: checked.env ?? {},
    secrets: checked.secrets ?? {},
    commandLine: checked.commandLine ?? [],
    limits: checked.limits ?? {},
    allowFetch: checked.allowFetch ?? [],
    // The user's own objects, not the schema's copies: their methods may need their state.
    bindings: (definition as FunctionDefinition).bindings ?? {},
    warmUp: checked.warmUp ?? false,
  };
}

function checkCode(definition: FunctionDefinition): void {
  const { file, source, folder, image, commandLine = [] } = definition;
  if (folder !== undefined && source === undefined) {
    throw invalid('folder', 'goes only with source');
  }
  if (commandLine.length > 0 && (image === undefined || image === JAVASCRIPT_IMAGE)) {
    throw invalid('commandLine', 'goes only with an image of your own');
  }
  if (image !== undefined && !takesCode(image)) {
    if (file !== undefined || source !== undefined) {
      throw invalid('image', `${image} takes neither file nor source`);
    }
  } else if ((file === undefined) === (source === undefined)) {
    throw invalid('file', 'either it or source must be given');
  }
}

/** Programs get variables as `NAME=VALUE` with a NUL behind it. */
function checkEnvironment({ image, env = {}, secrets = {} }: FunctionDefinition): void {
  if (image === undefined || image === JAVASCRIPT_IMAGE) {
    return;
  }
  for (const [field, variables] of Object.entries({ env, secrets })) {
    for (const [name, value] of Object.entries(variables)) {
      if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
        throw invalid(`${field}.${name}`, 'cannot be an environment variable: it has a NUL or "="');
      }
    }
  }
}

function invalid(path: string, problem: string): HatcheryError {
  return new HatcheryError('CONFIGURATION_INVALID', { path, problem });
}
