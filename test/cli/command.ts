/** Runs the compiled command line as a user does: as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The compiled `src/cli/main.ts`: what `hatchery` is a link to where the package is installed. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Added to this process's; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** Runs `hatchery ARGS` to its end. */
export function hatchery(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return runToEnd([MAIN, ...args], options);
}

/** Runs a program to its end. */
export function runToEnd(command: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  child.stdin.end(options.input ?? '');
  return ended(child);
}

function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

interface Event {
  readonly event?: string;
  readonly [name: string]: unknown;
}

/** A running `hatchery serve … --json`, or `up`. */
export class Served {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  readonly #events: Event[] = [];
  #onEvent = () => {};
  #rest = '';

  /**
   * @param args after `serve`; the port is any free one.
   * @param command what runs the command line
   * @param verb `serve` or `up`
   */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    command: readonly string[] = [MAIN],
    verb = 'serve',
  ) {
    const [program = MAIN, ...first] = command;
    const serve = [verb, '--json', '--port', '0', '--log-level', 'warn'];
    this.#child = spawn(program, [...first, ...serve, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = ended(this.#child);
    this.#ended.finally(() => this.#onEvent());
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#read(String(chunk)));
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#events.push(...lines.map((line) => JSON.parse(line) as Event));
    this.#onEvent();
  }

  /** The next event of that name (`error`: an error) that was not waited for yet. */
  async next(name: string): Promise<Event> {
    for (;;) {
      const at = this.#events.findIndex((event) => event.event === name || name in event);
      const [found] = at < 0 ? [] : this.#events.splice(at, 1);
      if (found !== undefined) {
        return found;
      }
      if (this.#child.exitCode !== null) {
        throw new Error(`no ${name}: ${(await this.#ended).stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#onEvent = resolve;
      });
    }
  }

  get processId(): number {
    return this.#child.pid ?? -1;
  }

  /** Where it serves. */
  async url(): Promise<string> {
    return (await this.next('listening')).url as string;
  }

  /** Waits until it has started a process: esbuild, the first thing that a deployment does. */
  async hasChildren(): Promise<void> {
    const { pid } = this.#child;
    while (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '') {
      await sleep(5);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }

  get end(): Promise<Ended> {
    return this.#ended;
  }
}
