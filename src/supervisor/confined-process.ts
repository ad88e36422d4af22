/** A process of this program's that gives up its rights, and what it says until it ends. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { workerEnvironment } from './lock-down.js';

/** Of standard error; the first complaint says most. */
const COMPLAINT_BYTES = 64 * 1024;

/** A limit, and what is said of a process that it ended: a whole sentence's end. */
export interface Limit {
  readonly most: number;
  readonly exceeded: string;
}

export interface ConfinedProcessOptions {
  /** The script's arguments. */
  readonly words: readonly string[];
  /** Besides what every worker has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** All of its standard input. */
  readonly input?: string;
  readonly milliseconds: Limit;
  /** Characters of standard output. */
  readonly output: Limit;
}

export interface Ending {
  readonly output: string;
  readonly complaint: string;
  readonly code: number | null;
  /** Why it was ended; `undefined`: it came to its end by itself. */
  readonly endedFor: string | undefined;
}

export class ConfinedProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #endedFor: string | undefined;
  /** Settled when it and its streams have ended, and all that it started was told to. */
  readonly ending: Promise<Ending>;

  /** @param script a file that gives up the rights of its process first of all. */
  constructor(script: string, options: ConfinedProcessOptions) {
    this.#child = spawn(process.execPath, [script, ...options.words], {
      cwd: '/',
      // A group of its own, to be ended with all that it starts.
      detached: true,
      env: { ...workerEnvironment(), ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ending = this.#watch(options);
  }

  /** Ends it, with all that it has started. The first reason is the one that counts. */
  end(reason: string): void {
    this.#endedFor ??= reason;
    if (this.#child.pid !== undefined) {
      try {
        process.kill(-this.#child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
  }

  #watch({ input = '', milliseconds, output: limit }: ConfinedProcessOptions): Promise<Ending> {
    const child = this.#child;
    let output = '';
    let complaint = '';
    const timer = setTimeout(() => this.end(milliseconds.exceeded), milliseconds.most);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > limit.most) this.end(limit.exceeded);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, COMPLAINT_BYTES);
    });
    // One that died does not read.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.once('close', (code) => {
        clearTimeout(timer);
        const endedFor = this.#endedFor;
        this.end('it has ended');
        resolve({ output, complaint, code, endedFor });
      });
    });
  }
}
