/**
 * A driver without a hypervisor: its guests do what a script says. It keeps to the state machine of
 * `drivers/driver.ts` and throws where the fabric does not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Driver,
  Exit,
  ExitKind,
  LoadOptions,
  Resume,
  Shell,
  Snapshot,
  Strategy,
  Where,
} from '../../src/drivers/driver.js';
import { HatcheryError } from '../../src/errors.js';
import type { MemoryUse, Remains } from '../../src/usage.js';

/** One stop of a simulated guest. */
export interface Step {
  readonly kind: ExitKind;
  readonly payload?: Uint8Array;
  readonly logs?: Uint8Array;
  /** The guest runs on a thread for so long; a deadline may come first. */
  readonly milliseconds?: number;
  /** Processor time that it takes. Default: 10. */
  readonly cpuMicroseconds?: number;
}

export interface Script {
  readonly strategies?: readonly Strategy[];
  /** Up to the snapshot point, without `ready`. Default: nothing. */
  readonly start?: readonly Step[];
  /** What the guest does with request number `count` (from 0) of its shell. */
  serve(count: number): readonly Step[];
  /** Whether rewinding works. Default: yes. */
  readonly rewinds?: boolean;
  /** Throws where making a virtual machine is to fail. */
  createShell?(): void;
}

/** What every simulated shell has in use. */
export const MEMORY_USE: MemoryUse = { dirtyBytes: 8_192, usedBytes: 40_960 };

const FINAL = new Set<ExitKind>(['respond', 'finish', 'push']);

export class Simulator implements Driver {
  readonly name = 'process';
  readonly strategies: readonly Strategy[];
  readonly defaultStrategy: Strategy;
  readonly script: Script;
  readonly shells = new Set<SimulatedShell>();
  /** Resumes that guests got, in order. */
  readonly resumes: Resume[] = [];
  /** What snapshots were laid out from, in order. */
  readonly loaded: LoadOptions[] = [];
  created = 0;
  rewound = 0;
  openSnapshots = 0;

  constructor(script: Script) {
    this.script = script;
    this.strategies = script.strategies ?? ['boot', 'clone', 'pool', 'reset'];
    this.defaultStrategy = this.strategies.at(-1) as Strategy;
  }

  async load(options: LoadOptions): Promise<Snapshot> {
    this.loaded.push(options);
    return this.snapshot('cold');
  }

  async close(): Promise<void> {
    await Promise.all([...this.shells].map((shell) => shell.destroy()));
  }

  snapshot(state: 'cold' | 'ready'): Snapshot {
    this.openSnapshots += 1;
    return {
      state,
      memoryBytes: 0,
      createShell: async () => {
        await sleep(1);
        this.script.createShell?.();
        this.created += 1;
        const shell = new SimulatedShell(this, state);
        this.shells.add(shell);
        return shell;
      },
      configure: () => undefined,
      close: () => {
        this.openSnapshots -= 1;
      },
    };
  }
}

class SimulatedShell implements Shell {
  readonly #driver: Simulator;
  #state: 'cold' | 'ready' | 'running' | 'stopped' | 'final' | 'gone';
  #steps: Step[];
  #served = 0;
  #abort = new AbortController();
  dirtyBytes() {
    return 0;
  }

  constructor(driver: Simulator, state: 'cold' | 'ready') {
    this.#driver = driver;
    this.#state = state;
    this.#steps = [...(driver.script.start ?? []), { kind: 'ready' }];
  }

  run(resume: Resume | undefined, deadline: number, _cpuMilliseconds: number, where: Where) {
    if (this.#state === 'gone') throw new HatcheryError('SHELL_GONE');
    if (this.#state === 'running') throw new HatcheryError('SHELL_BUSY');
    if ((resume === undefined) !== (this.#state === 'cold')) throw new Error('not to be booted');
    if (resume?.reason === 'request') {
      if (this.#state === 'stopped') throw new Error('a request in the middle of another');
      this.#steps = [...this.#driver.script.serve(this.#served++)];
    }
    if (resume !== undefined) {
      this.#driver.resumes.push({ ...resume, bytes: resume.bytes && Buffer.from(resume.bytes) });
    }
    const step = this.#steps.shift() ?? { kind: 'crash' };
    this.#state = 'running';
    return step.milliseconds === undefined && where === 'inline'
      ? this.#stop(step)
      : this.#runOnThread(step, deadline);
  }

  memoryUse() {
    return MEMORY_USE;
  }

  rewind(): MemoryUse | false {
    if (this.#state !== 'final') throw new Error(`a rewind of a shell that is ${this.#state}`);
    this.#state = 'ready';
    this.#served = 0;
    this.#driver.rewound += 1;
    return (this.#driver.script.rewinds ?? true) && MEMORY_USE;
  }

  async capture(): Promise<Snapshot> {
    if (this.#state !== 'ready') throw new Error(`a capture of a shell that is ${this.#state}`);
    return this.#driver.snapshot('ready');
  }

  joinCaptured() {
    return false;
  }

  async destroy(): Promise<Remains> {
    this.#state = 'gone';
    this.#abort.abort();
    this.#driver.shells.delete(this);
    return { memory: MEMORY_USE, cpuMicroseconds: 0 };
  }

  async #runOnThread(step: Step, deadline: number): Promise<Exit> {
    const left = Math.max(0, deadline - performance.now());
    const milliseconds = step.milliseconds ?? 0;
    await sleep(Math.min(milliseconds, left), undefined, { signal: this.#abort.signal }).catch(
      () => {
        throw new HatcheryError('SHELL_GONE');
      },
    );
    return this.#stop(milliseconds > left ? { kind: 'deadline' } : step);
  }

  #stop(step: Step): Exit {
    const isFinal = FINAL.has(step.kind) && this.#steps.length === 0;
    this.#state = step.kind === 'ready' ? 'ready' : isFinal ? 'final' : 'stopped';
    return {
      kind: step.kind,
      payload: step.payload ?? new Uint8Array(),
      logs: step.logs,
      fault: step.kind === 'crash' ? { reason: 'triple fault' } : undefined,
      spawnMicroseconds: 1,
      guestMicroseconds: 1000 * (step.milliseconds ?? 0.01),
      cpuMicroseconds: step.cpuMicroseconds ?? 10,
    };
  }
}
