/** Whether a WebAssembly module can become an image, and what it is; else all that stands against it. */
import { HatcheryError } from '../../errors.js';
import { FEATURES, type FeatureUse } from './features.js';
import { KNOWN_MODULES, knownFunction } from './known-imports.js';
import { type Export, type Import, type ModuleFacts, readModule } from './module.js';
import { adviceOn } from './producers.js';
import { MalformedModule } from './reader.js';
import { type FunctionType, signatureOf } from './types.js';

/** How a module answers requests: a command by `_start`, a reactor by `hatchery_handle`. */
export type Manner = 'command' | 'reactor';

export interface CheckedModule {
  readonly manner: Manner;
  /** What its memory begins with, in bytes. */
  readonly minimumMemoryBytes: number;
}

/** Largest module that is read: what is made of it must fit into the range of images. */
export const MAX_MODULE_BYTES = 256 * 1024 * 1024;

const WASM_PAGE_BYTES = 65_536;
/** So many problems are told at a time. */
const MOST_PROBLEMS = 20;
const LONGEST_NAME = 100;

/** `wasm2c` writes the name of each export into a comment of its C as it is: what could end that comment. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: line ends are among these.
const ENDS_COMMENT = /[\u0000-\u001f\u007f\\]|\*\//;

const COMMAND = '_start';
const REACTOR = 'hatchery_handle';
const INITIALISER = '_initialize';

/**
 * @param name how errors call the module
 * @throws HatcheryError MODULE_INVALID where it is no WebAssembly module, MODULE_UNSUPPORTED with all
 *   that the library OS or the translator lacks
 */
export async function checkModule(name: string, bytes: Uint8Array): Promise<CheckedModule> {
  const facts = read(name, bytes);
  const problems = [
    ...facts.unsupported.map(featureProblem),
    ...facts.imports.flatMap(importProblem),
    ...exportProblems(facts),
  ];
  if (problems.length > 0) {
    const told = problems.slice(0, MOST_PROBLEMS);
    const more = problems.length - told.length;
    const reason = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
    throw new HatcheryError('MODULE_UNSUPPORTED', { module: name, reason });
  }
  await validate(name, bytes);
  return {
    manner: functionNamed(facts, REACTOR) === undefined ? 'command' : 'reactor',
    minimumMemoryBytes: (facts.memory?.minimum ?? 0) * WASM_PAGE_BYTES,
  };
}

function read(name: string, bytes: Uint8Array): ModuleFacts {
  if (bytes.length > MAX_MODULE_BYTES) {
    const reason = `it is larger than ${MAX_MODULE_BYTES} bytes`;
    throw new HatcheryError('MODULE_INVALID', { module: name, reason });
  }
  try {
    return readModule(bytes);
  } catch (cause) {
    if (!(cause instanceof MalformedModule)) {
      throw cause;
    }
    throw new HatcheryError('MODULE_INVALID', { module: name, reason: cause.message }, { cause });
  }
}

/** Node's, of whose functions there are no types without those of browsers. */
const engine = (
  globalThis as unknown as {
    readonly WebAssembly: {
      validate(bytes: Uint8Array): boolean;
      compile(bytes: Uint8Array): Promise<unknown>;
    };
  }
).WebAssembly;

/** Its types, which only a whole validator can check. Compiling says what is wrong. */
async function validate(name: string, bytes: Uint8Array): Promise<void> {
  if (engine.validate(bytes)) {
    return;
  }
  const reason = await engine.compile(bytes).then(
    () => 'it is not valid',
    (error: Error) => error.message.replace(/^WebAssembly\.\w+\(\): /, ''),
  );
  throw new HatcheryError('MODULE_INVALID', { module: name, reason });
}

function featureProblem({ feature, offset, function: index, name }: FeatureUse): string {
  const { title, avoidedBy } = FEATURES[feature];
  const called = name === undefined ? '' : ` (${shown(name)})`;
  const where = index === undefined ? '' : `function ${index}${called}, `;
  return `${title} at ${where}offset 0x${offset.toString(16)}: avoid them with ${avoidedBy}`;
}

function importProblem({ module, name, kind, type }: Import): string[] {
  const path = `${shown(module)}.${shown(name)}`;
  if (kind !== 'function') {
    return [`the ${kind} ${path} is imported: let the module define it itself`];
  }
  if (type === undefined) {
    // Its type is of a feature that is told.
    return [];
  }
  const known = knownFunction(module, name);
  if (known === undefined) {
    const modules = KNOWN_MODULES.join(' and ');
    return [
      `the import ${path} ${signatureOf(type)} is not in the library OS, which has ${modules}${adviceOn(module, name)}`,
    ];
  }
  return isSame(type, known)
    ? []
    : [`the import ${path} ${signatureOf(type)} should be ${signatureOf(known)}`];
}

function exportProblems(facts: ModuleFacts): string[] {
  const problems: string[] = [];
  if (facts.unsupported.length > 0) {
    // What follows them may not have been read.
    return problems;
  }
  const entries = [COMMAND, REACTOR].filter((name) => functionNamed(facts, name) !== undefined);
  if (entries.length === 0) {
    problems.push(`it exports neither the function ${COMMAND} nor ${REACTOR}`);
  }
  if (entries.length === 2) {
    problems.push(`it exports both ${COMMAND} and ${REACTOR}`);
  }
  for (const name of [...entries, INITIALISER]) {
    const type = functionNamed(facts, name)?.type;
    if (type !== undefined && !isSame(type, { parameters: [], results: [] })) {
      problems.push(`the export ${name} ${signatureOf(type)} should be () -> ()`);
    }
  }
  for (const { name } of facts.exports) {
    if (ENDS_COMMENT.test(name)) {
      problems.push(
        `the export "${shown(name)}" needs another name: one without control characters, "\\" and "*/"`,
      );
    }
  }
  if (!facts.exports.some(({ name, kind }) => name === 'memory' && kind === 'memory')) {
    problems.push('it does not export its memory as "memory"');
  }
  return problems;
}

function functionNamed(facts: ModuleFacts, wanted: string): Export | undefined {
  return facts.exports.find(({ name, kind }) => name === wanted && kind === 'function');
}

function isSame(one: FunctionType, other: FunctionType): boolean {
  return signatureOf(one) === signatureOf(other);
}

/** Names are the module's, and go to terminals and logs. */
function shown(name: string): string {
  const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is not to be shown.
  return short.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
