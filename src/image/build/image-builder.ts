/** Builds images of what users wrote, and stores them. */
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { ABI_VERSION } from '../../abi.js';
import { HatcheryError } from '../../errors.js';
import { DEFAULT_LIMITS, MEMORY_BYTES } from '../../fabric/limits.js';
import type { User } from '../../supervisor/user.js';
import { parseElf } from '../elf.js';
import type { ImageStore, StoredImage } from '../store/image-store.js';
import { composeImage, type Digest, digestOf, type ImageConfig } from '../store/layout.js';
import { type CheckedModule, checkModule, MAX_MODULE_BYTES } from '../wasm/check-module.js';
import type { BuildCache, Built } from './build-cache.js';
import { type Flag, flagTexts, readFlags } from './c-flags.js';
import { packFolders } from './packed-folders.js';
import { CommandFailure, Sandbox } from './sandbox.js';
import type { SandboxLimits } from './sandbox-limits.js';
import type { Sdk } from './sdk.js';
import { readSources, type Sources } from './sources.js';
import { identifyTools, type Tool } from './tools.js';

export interface BuildOrder {
  /** Of the image. */
  readonly name: string;
  /** A module, or files and folders of C. */
  readonly sources: readonly string[];
  /** Folders to pack, `HOST` or `HOST:GUEST`. */
  readonly folders?: readonly string[];
  /** Memory of instances that say nothing else. Default: what it needs, at least the usual. */
  readonly memoryBytes?: number | undefined;
  /** For the C compiler and the linker. */
  readonly flags?: readonly string[];
}

export interface BuildResult {
  readonly image: StoredImage;
  /** Nothing was compiled: it was built before. */
  readonly wasBuilt: boolean;
  readonly milliseconds: number;
  /** Absolute paths of all files that went in. */
  readonly inputs: readonly string[];
}

export interface ImageBuilderOptions {
  readonly store: ImageStore;
  readonly cache: BuildCache;
  readonly sdk: () => Promise<Sdk>;
  /** Whom compilers run as; `undefined`: who this is. */
  readonly user: User | undefined;
  readonly limits?: Partial<SandboxLimits>;
  /** Stops a build that is under way; it then fails. */
  readonly signal?: AbortSignal;
  /** Is told what is done now. */
  readonly onStep?: (step: string) => void;
}

/** Counts what makes a build another one, besides its inputs. */
const BUILD_FORMAT = 1;
const MEBIBYTE = 1024 * 1024;
/** Besides a module's own memory: stacks, tables, requests. */
const ROOM_BYTES = 16 * MEBIBYTE;

const TOOLS: Readonly<Record<Sources['kind'], readonly Tool[]>> = {
  wasm: ['wasm2c', 'gcc', 'musl-gcc', 'ld'],
  wat: ['wat2wasm', 'wasm2c', 'gcc', 'musl-gcc', 'ld'],
  c: ['gcc', 'musl-gcc', 'ld'],
};

/** What a build script prints last; flags are a list, or text with spaces between them. */
const REPORT = v.object({
  tools: v.record(v.string(), v.string()),
  flags: v.union([
    v.array(v.string()),
    v.pipe(
      v.string(),
      v.transform((text) => text.split(' ')),
    ),
  ]),
});

/** All that a build depends on. */
interface Inputs {
  readonly sources: Sources;
  readonly flags: readonly Flag[];
  readonly archive: Buffer | undefined;
  readonly sdk: Sdk;
}

export class ImageBuilder {
  readonly #options: ImageBuilderOptions;

  constructor(options: ImageBuilderOptions) {
    this.#options = options;
  }

  /**
   * @throws HatcheryError INVALID_ARGUMENT, MODULE_INVALID, MODULE_UNSUPPORTED, BUILD_FAILED,
   *   BUILD_TOOLS_MISSING, DATA_UNUSABLE
   */
  async build(order: BuildOrder): Promise<BuildResult> {
    const start = performance.now();
    checkMemory(order.memoryBytes);
    const [sources, packed, sdk] = await Promise.all([
      readSources(order.sources),
      packFolders(order.folders ?? []),
      this.#options.sdk(),
    ]);
    if (sources.kind !== 'c' && (order.flags ?? []).length > 0) {
      throw invalid('flags are for C sources only');
    }
    const flags = readFlags(order.flags ?? [], sources.folder);
    const inputs = { sources, flags, archive: packed.archive, sdk };
    const key = keyOf(inputs, await identifyTools(TOOLS[sources.kind]));
    const found = await this.#options.cache.find(key);
    const built = found ?? (await this.#compile(order.sources[0] ?? '', inputs));
    const image = await this.#store(order, built);
    if (found === undefined) {
      await this.#options.cache.keep(key, digestOf(built.elf), built);
    }
    return {
      image,
      wasBuilt: found !== undefined,
      milliseconds: performance.now() - start,
      inputs: [
        ...sources.files.map(({ path }) => resolve(sources.folder, path)),
        ...packed.inputs.map((path) => resolve(path)),
      ],
    };
  }

  async #store({ name, memoryBytes }: BuildOrder, built: Built): Promise<StoredImage> {
    const { config, elf, minimumMemoryBytes } = built;
    const needed = Math.ceil((minimumMemoryBytes + ROOM_BYTES) / MEBIBYTE) * MEBIBYTE;
    if (memoryBytes !== undefined && memoryBytes < minimumMemoryBytes) {
      throw invalid(`--memory: the module begins with ${minimumMemoryBytes} bytes of memory`);
    }
    if (needed > MEMORY_BYTES.max) {
      throw invalid(`the module needs more memory than the ${MEMORY_BYTES.max} bytes there may be`);
    }
    const memory = memoryBytes ?? (needed > DEFAULT_LIMITS.memoryBytes ? needed : undefined);
    const limits = memory === undefined ? {} : { memoryBytes: memory };
    const whole = composeImage({ ...config, limits }, elf);
    await this.#options.store.put(whole, name);
    return { name, digest: whole.digest, size: elf.length, config: { ...config, limits } };
  }

  /** @param called in messages */
  async #compile(called: string, inputs: Inputs): Promise<Built> {
    const { user, limits, signal } = this.#options;
    const sandbox = await Sandbox.create({ user, limits, signal });
    try {
      return await this.#compileIn(sandbox, called, inputs);
    } catch (cause) {
      if (cause instanceof CommandFailure) {
        throw new HatcheryError(
          'BUILD_FAILED',
          { source: called, problem: cause.message },
          { cause },
        );
      }
      throw cause;
    } finally {
      await sandbox.close();
    }
  }

  async #compileIn(sandbox: Sandbox, called: string, inputs: Inputs): Promise<Built> {
    const { sources, flags, archive, sdk } = inputs;
    const paths: string[] = [];
    for (const { path, bytes, isCompiled } of sources.files) {
      const input = await sandbox.addInput(join('sources', path), bytes);
      if (isCompiled) {
        paths.push(input);
      }
    }
    const module =
      sources.kind === 'c' ? undefined : await this.#module(sandbox, called, sources, paths);
    const output = join(sandbox.outputs, 'image.elf');
    const folder = await sdk.reachableBy(this.#options.user, join(sandbox.inputs, 'sdk'));
    const files =
      archive === undefined ? [] : ['--files', await sandbox.addInput('files.tar', archive)];
    const given = flagTexts(flags, join(sandbox.inputs, 'sources'));
    const command =
      module === undefined
        ? ['build-c', output, sandbox.work, ...files, ...paths, '--', ...given]
        : ['build-wasm', output, sandbox.work, module.path, ...files];
    this.#options.onStep?.(module === undefined ? 'compiling' : 'translating and compiling');
    const [program = '', ...args] = command;
    const said = await sandbox.run([join(folder, program), ...args], [folder]);
    const elf = await sandbox.readOutput('image.elf');
    return {
      elf,
      config: configOf(inputs, module?.facts, {
        ...{
          entry: entryOf(elf, called),
          report: reportOf(said, sandbox),
          sdk: await sdk.digest(),
        },
      }),
      minimumMemoryBytes: module?.facts.minimumMemoryBytes ?? 0,
    };
  }

  /** The module's binary among the inputs, checked. */
  async #module(
    sandbox: Sandbox,
    called: string,
    { kind, files }: Sources,
    [path = '']: readonly string[],
  ): Promise<{ readonly path: string; readonly facts: CheckedModule }> {
    if (kind === 'wasm') {
      const bytes = files[0]?.bytes ?? Buffer.alloc(0);
      return { path, facts: await checkModule(called, bytes) };
    }
    this.#options.onStep?.('assembling');
    // What is not supported is told below, better than the assembler does.
    await sandbox.run([
      ...['wat2wasm', '--enable-all', '--debug-names', path],
      ...['-o', join(sandbox.outputs, 'module.wasm')],
    ]);
    const bytes = await sandbox.readOutput('module.wasm', MAX_MODULE_BYTES);
    const facts = await checkModule(called, bytes);
    // Those bytes, and not what may be in the place of the file now.
    return { path: await sandbox.addInput('assembled/module.wasm', bytes), facts };
  }
}

function checkMemory(bytes: number | undefined): void {
  const { min, max, step } = MEMORY_BYTES;
  if (bytes !== undefined && (bytes < min || bytes > max || bytes % step !== 0)) {
    throw invalid(`--memory: give ${min} to ${max} bytes, a multiple of ${step}`);
  }
}

function keyOf(
  { sources, flags, archive, sdk }: Inputs,
  tools: Readonly<Record<string, string>>,
): Digest {
  return digestOf(
    JSON.stringify({
      ...{
        format: BUILD_FORMAT,
        abi: ABI_VERSION,
        kind: sources.kind,
        sdk: sdk.identity,
        tools,
        flags,
      },
      sources: sources.files.map(({ path, bytes, isCompiled }) => [
        ...[path, digestOf(bytes), isCompiled],
      ]),
      files: archive === undefined ? null : digestOf(archive),
    }),
  );
}

type Report = v.InferOutput<typeof REPORT>;

/** The last line that a build script printed. Compilers have read what a stranger wrote: it is checked. */
function reportOf(said: string, sandbox: Sandbox): Report {
  try {
    const { tools, flags } = v.parse(REPORT, JSON.parse(said.trim().split('\n').at(-1) ?? ''));
    // Where it was built is no part of what was built.
    return { tools, flags: flags.map((flag) => flag.replaceAll(`${sandbox.inputs}/`, '')) };
  } catch (cause) {
    throw new CommandFailure(
      `the build script reported nothing of what it did: ${(cause as Error).message}`,
      '',
    );
  }
}

function entryOf(elf: Uint8Array, called: string): number {
  try {
    return parseElf(elf, called).entry;
  } catch (cause) {
    throw new CommandFailure((cause as Error).message, '');
  }
}

/** What was found out by building. */
interface Outcome {
  readonly entry: number;
  readonly report: Report;
  readonly sdk: Digest;
}

function configOf(
  { sources, flags, archive }: Inputs,
  module: CheckedModule | undefined,
  { entry, report, sdk }: Outcome,
): ImageConfig {
  const { tools, flags: used } = report;
  return {
    abiVersion: ABI_VERSION,
    kind: sources.kind === 'c' ? 'c' : 'wasm',
    entry: `0x${entry.toString(16)}`,
    ...(module === undefined ? {} : { manner: module.manner }),
    limits: {},
    provenance: {
      ...{ tools, flags: used, givenFlags: flagTexts(flags, 'sources'), sdk },
      sources: sources.files.map(({ path, bytes }) => ({ path, digest: digestOf(bytes) })),
      ...(archive === undefined ? {} : { files: digestOf(archive) }),
    },
  };
}

function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem });
}
