/** One virtual machine of a native addon's. */

import { PAGE_BYTES } from '../abi.js';
import { HatcheryError } from '../errors.js';
import type { MemoryUse, Remains } from '../usage.js';
import type { Exit, ExitKind, Fault, Resume, Shell, Snapshot, Where } from './driver.js';
import {
  EXIT_CPU,
  EXIT_CRASH,
  EXIT_INTERRUPTED,
  type NativeAddon,
  type NativeMachine,
  type NativeSnapshot,
  RESULT,
  RESUME,
  WHERE,
} from './native.js';

/** Kinds by the ABI's hypercall numbers; PROBE is the tests'. */
const KINDS: readonly (ExitKind | undefined)[] = [
  undefined,
  'ready',
  'respond',
  'log',
  'pull',
  'push',
  'finish',
  'panic',
  'call',
  'wait',
  'unconfigured',
];

const NOTHING = new Uint8Array(0);

interface ShellParts {
  readonly addon: NativeAddon;
  readonly machine: NativeMachine;
  /** A shell that has written more pages than this is not rewound: a new one would cost less. */
  readonly rewindPageLimit: number;
  /** The typed error for what the addon threw or passed to a callback. */
  failure(error: unknown): unknown;
  onDestroyed(): void;
  onCaptured(native: NativeSnapshot, state: 'unconfigured' | 'ready'): Snapshot;
}

export class NativeShell implements Shell {
  readonly #parts: ShellParts;
  readonly #machine: NativeMachine;
  #pending: { resolve(exit: Exit): void; reject(error: unknown): void } | undefined;
  #destroyed: Promise<Remains> | undefined;
  /** Of the run that `destroy` cut off. */
  #cutOffMicroseconds = 0;
  #lastExit: ExitKind | undefined;

  constructor(parts: ShellParts) {
    this.#parts = parts;
    this.#machine = parts.machine;
    this.#machine.onExit((error, code) => {
      const pending = this.#pending;
      this.#pending = undefined;
      if (error !== null) {
        pending?.reject(this.#parts.failure(error));
      } else if (code === 0) {
        this.#cutOffMicroseconds = this.#parts.addon.result[RESULT.cpuMicroseconds] ?? 0;
        pending?.reject(new HatcheryError('SHELL_GONE'));
      } else {
        pending?.resolve(this.#exit(code));
      }
    });
  }

  /** The native machine, for tests that look inside. */
  get native(): NativeMachine {
    return this.#machine;
  }

  run(
    resume: Resume | undefined,
    deadline: number,
    cpuMilliseconds: number,
    where: Where,
  ): Exit | Promise<Exit> {
    let code: number;
    try {
      code = this.#machine.run(
        resume === undefined ? RESUME.boot : RESUME[resume.reason],
        resume?.bytes,
        Math.max(0, deadline - performance.now()),
        cpuMilliseconds,
        WHERE[where],
      );
    } catch (error) {
      throw this.#parts.failure(error);
    }
    if (code !== 0) {
      return this.#exit(code);
    }
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
  }

  rewind(): MemoryUse | false {
    try {
      return this.#use(this.#machine.rewind(this.#parts.rewindPageLimit)) ?? false;
    } catch (error) {
      throw this.#parts.failure(error);
    }
  }

  capture(): Promise<Snapshot> {
    const state = this.#lastExit === 'unconfigured' ? 'unconfigured' : 'ready';
    return new Promise((resolve, reject) => {
      try {
        this.#machine.capture((error, native) => {
          error === null
            ? resolve(this.#parts.onCaptured(native, state))
            : reject(this.#parts.failure(error));
        });
      } catch (error) {
        reject(this.#parts.failure(error));
      }
    });
  }

  joinCaptured(): boolean {
    try {
      return this.#machine.joinCaptured();
    } catch (error) {
      throw this.#parts.failure(error);
    }
  }

  dirtyBytes(): number | undefined {
    try {
      const pages = this.#machine.writtenPages();
      return pages < 0 ? undefined : pages * PAGE_BYTES;
    } catch (error) {
      throw this.#parts.failure(error);
    }
  }

  memoryUse(): MemoryUse | undefined {
    try {
      return this.#use(this.#machine.memoryUse());
    } catch (error) {
      throw this.#parts.failure(error);
    }
  }

  destroy(): Promise<Remains> {
    this.#destroyed ??= new Promise((resolve) => {
      this.#machine.destroy((_, dirtyPages) => {
        const memory = this.#use(dirtyPages);
        this.#parts.onDestroyed();
        resolve({ memory, cpuMicroseconds: this.#cutOffMicroseconds });
      });
    });
    return this.#destroyed;
  }

  /** @param dirtyPages what a method of the machine's has just given; -1: nothing is known. */
  #use(dirtyPages: number): MemoryUse | undefined {
    if (dirtyPages < 0) {
      return undefined;
    }
    const usedPages = this.#parts.addon.result[RESULT.usedPages] ?? 0;
    return { dirtyBytes: dirtyPages * PAGE_BYTES, usedBytes: usedPages * PAGE_BYTES };
  }

  #exit(code: number): Exit {
    const { result, payload, logs } = this.#parts.addon;
    const payloadBytes = result[RESULT.payloadBytes] ?? 0;
    const logBytes = result[RESULT.logBytes] ?? 0;
    const kind = kindOf(code);
    this.#lastExit = kind;
    return {
      kind,
      payload: payloadBytes === 0 ? NOTHING : payload.subarray(0, payloadBytes),
      logs: logBytes === 0 ? undefined : logs.subarray(0, logBytes),
      fault: code === EXIT_CRASH ? this.#fault() : undefined,
      spawnMicroseconds: result[RESULT.spawnMicroseconds] ?? 0,
      guestMicroseconds: result[RESULT.guestMicroseconds] ?? 0,
      cpuMicroseconds: result[RESULT.cpuMicroseconds] ?? 0,
    };
  }

  #fault(): Fault {
    const { result } = this.#parts.addon;
    const reason = this.#machine.crashReason();
    if (result[RESULT.hasRegisters] !== 1) {
      return { reason };
    }
    return {
      reason,
      instructionPointer: result[RESULT.instructionPointer] ?? 0,
      stackPointer: result[RESULT.stackPointer] ?? 0,
    };
  }
}

function kindOf(code: number): ExitKind {
  if (code === EXIT_CRASH) {
    return 'crash';
  }
  if (code === EXIT_INTERRUPTED) {
    return 'deadline';
  }
  if (code === EXIT_CPU) {
    return 'cpu';
  }
  return KINDS[code] ?? 'crash';
}
