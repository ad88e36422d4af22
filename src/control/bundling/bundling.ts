/** Bundles uploads in processes that have no rights, no network, and limits. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { HatcheryError } from '../../errors.js';
import { overloaded } from '../../fabric/places.js';
import { workerEnvironment } from '../../supervisor/lock-down.js';
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
  #run(program: string, input: string): Promise<string> {
    const { user = '-', group = '-' } = this.#user ?? {};
    const child = spawn(process.execPath, [ENTRY, String(user), String(group), program], {
      cwd: '/',
      // A group of its own, to be ended with all that it starts.
      detached: true,
      env: {
        ...workerEnvironment(),
        ESBUILD_BINARY_PATH: program,
        // Requests are served beside it.
        GOMAXPROCS: '1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new Promise((resolve, reject) => {
      let output = '';
      let complaint = '';
      let why: string | undefined;
      const end = (reason: string) => {
        why ??= reason;
        if (child.pid !== undefined) {
          try {
            process.kill(-child.pid, 'SIGKILL');
          } catch {
            // It has ended already.
          }
        }
      };
      const { wallMilliseconds, outputBytes } = this.#limits;
      const timer = setTimeout(
        () => end(`bundling took longer than ${wallMilliseconds} ms`),
        wallMilliseconds,
      );
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.length > outputBytes) {
          end(`the bundle is larger than ${outputBytes / MEBIBYTE} MiB`);
        }
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint = (complaint + text).slice(-LONGEST_PROBLEM);
      });
      child.once('error', reject);
      // A bundler that died does not read.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
      child.once('close', (code) => {
        clearTimeout(timer);
        const limit = why;
        // What it has started and left.
        end('it has ended');
        if (limit !== undefined || code !== 0) {
          reject(new Error(limit ?? reasonOf(complaint)));
        } else {
          resolve(output);
        }
      });
    });
  }
}

/** Of what a process wrote that came to its end by itself. */
function reasonOf(complaint: string): string {
  const { cpuSeconds, dataBytes } = BUNDLER_LIMITS;
  const limits = `${cpuSeconds} s of processor time and ${dataBytes / MEBIBYTE} MiB of memory`;
  const lastLine = complaint.trim().split('\n').at(-1) ?? '';
  return `the bundler came to its end, perhaps by one of its limits (${limits}): ${lastLine}`;
}
