/** Bundles uploads in processes that have no rights, no network, and limits. */
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { HatcheryError } from '../../errors.js';
import { overloaded } from '../../fabric/places.js';
import { ConfinedProcess } from '../../supervisor/confined-process.js';
import type { User } from '../../supervisor/user.js';
import type { BundledUpload, BundleOrder } from './bundle-upload.js';
import { BUNDLER_LIMITS } from './bundler-limits.js';
import { EsbuildProgram } from './esbuild-program.js';

const ENTRY = fileURLToPath(new URL('./bundler.js', import.meta.url));
const MEBIBYTE = 1024 * 1024;
const LONGEST_PROBLEM = 4_096;

/** The process has read what a stranger wrote, so what it says is checked. */
const OUTCOME = v.union([
  v.object({ bundled: v.object({ module: v.string(), map: v.string() }) }),
  v.object({ problem: v.string() }),
]);

export interface BundlingLimits {
  readonly wallMilliseconds: number;
  readonly outputBytes: number;
}

export class Bundling {
  readonly #user: User | undefined;
  readonly #limits: BundlingLimits;
  readonly #program: Promise<EsbuildProgram>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param user whom its processes become; `undefined`: they stay who this one is. */
  constructor(user: User | undefined, limits: BundlingLimits = BUNDLER_LIMITS) {
    this.#user = user;
    this.#limits = limits;
    this.#program = EsbuildProgram.find(user);
    // Whoever bundles is told.
    this.#program.catch(() => {});
  }

  /**
   * @param name of the function, for messages.
   * @throws HatcheryError BUNDLE_FAILED, OVERLOADED
   */
  async bundle(name: string, order: BundleOrder): Promise<BundledUpload> {
    await this.#enter();
    try {
      const { path } = await this.#program;
      const output = await this.#run(path, JSON.stringify(order));
      const outcome = v.parse(OUTCOME, JSON.parse(output));
      if ('problem' in outcome) {
        throw new Error(outcome.problem.slice(0, LONGEST_PROBLEM));
      }
      return outcome.bundled;
    } catch (cause) {
      const problem = (cause as Error).message;
      throw new HatcheryError('BUNDLE_FAILED', { function: name, problem }, { cause });
    } finally {
      this.#leave();
    }
  }

  async close(): Promise<void> {
    await (await this.#program).close();
  }

  async #enter(): Promise<void> {
    if (this.#running < BUNDLER_LIMITS.atOnce) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= BUNDLER_LIMITS.waiting) {
      throw overloaded(`${this.#waiting.length} uploads wait to be bundled`);
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#running -= 1;
    } else {
      next();
    }
  }

  /** @throws Error that says which limit was hit */
  async #run(program: string, input: string): Promise<string> {
    const { user = '-', group = '-' } = this.#user ?? {};
    const { wallMilliseconds, outputBytes } = this.#limits;
    const confined = new ConfinedProcess(ENTRY, {
      words: [String(user), String(group), program],
      // Requests are served beside it.
      environment: { ESBUILD_BINARY_PATH: program, GOMAXPROCS: '1' },
      input,
      milliseconds: {
        most: wallMilliseconds,
        exceeded: `bundling took longer than ${wallMilliseconds} ms`,
      },
      output: {
        most: outputBytes,
        exceeded: `the bundle is larger than ${outputBytes / MEBIBYTE} MiB`,
      },
    });
    const { output, complaint, code, endedFor } = await confined.ending;
    if (endedFor !== undefined || code !== 0) {
      throw new Error(endedFor ?? reasonOf(complaint));
    }
    return output;
  }
}

/** Of what a process wrote that came to its end by itself. */
function reasonOf(complaint: string): string {
  const { cpuSeconds, dataBytes } = BUNDLER_LIMITS;
  const limits = `${cpuSeconds} s of processor time and ${dataBytes / MEBIBYTE} MiB of memory`;
  const lastLine = complaint.trim().split('\n').at(-1)?.slice(-LONGEST_PROBLEM) ?? '';
  return `the bundler came to its end, perhaps by one of its limits (${limits}): ${lastLine}`;
}
