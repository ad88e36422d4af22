/**
 * What the fabric knows of a hypervisor: the one interface that every driver implements.
 *
 * Life cycle: `Driver.load` makes a cold {@link Snapshot} from an image and its configuration;
 * a {@link Shell} created from it boots by `run(null, …)` until its exit is `ready`; `Shell.capture`
 * then makes a ready snapshot, and a shell created from that one serves requests by `run(frame, …)`.
 */
import type { HatcheryError } from '../errors.js';
import type { MemoryUse, Remains } from '../usage.js';

/** How an instance comes to be; see the design's table of strategies. */
export type Strategy = 'boot' | 'clone' | 'pool' | 'reset';

export type DriverName = 'kvm' | 'process' | 'xen' | 'libvirt';

/**
 * Kinds of Xen domains. PVH: by the processor's virtualisation, and can be rewound. PV: works without
 * it, and starts anew for each request.
 */
export type XenGuestType = 'pvh' | 'pv';

/** One piece of an image that is mapped into the guest: an ELF PT_LOAD segment. */
export interface ImageSegment {
  /** Guest virtual address; may lie inside a page, but no other segment touches its pages. */
  readonly address: number;
  /** Mapped size in bytes; at least `bytes.length`, the rest is zero. */
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  /** Never true together with `writable`. */
  readonly executable: boolean;
}

/** An image that has been read and checked (see `image/elf.ts`), ready to be loaded. */
export interface LoadableImage {
  readonly entry: number;
  readonly segments: readonly ImageSegment[];
  /** The ELF file that it was read from, if it was: what a PV domain of Xen's is built from. */
  readonly file?: Uint8Array;
  /** It makes the hypercall UNCONFIGURED on its way to the snapshot point. Default: no. */
  readonly startsUnconfigured?: boolean;
}

/** What an instance gets from its parent; names are 1 to 255 bytes of ASCII without NUL. */
export type Configuration = ReadonlyMap<string, Uint8Array>;

export interface LoadOptions {
  readonly image: LoadableImage;
  readonly configuration: Configuration;
  /** Bytes to leave for configuration items. Default, and at least: what these need. */
  readonly configurationRoom?: number;
  /** All memory of an instance in bytes; a multiple of 4096. */
  readonly memoryBytes: number;
  /**
   * What the hypervisor's own tools are to call its machines, where there are any: 1 to 63 letters,
   * digits, `-` and `_`. Default: `guest`.
   */
  readonly name?: string;
  /**
   * How many virtual machines a driver for which making one takes long is to keep ready, empty, as
   * long as the snapshot is open. Default: 0.
   */
  readonly shellsAhead?: number;
}

/** Why a vCPU stopped. Names follow the hypercalls of `images/abi/hatchery.h`. */
export type ExitKind =
  /** Start-up is over: the snapshot point. */
  | 'ready'
  /** Start-up has come to where it needs its configuration. It goes on as a boot does. */
  | 'unconfigured'
  /** A response frame is in `payload`. Final unless its flags say otherwise. */
  | 'respond'
  /** The guest asks for the next bytes of the request's body. */
  | 'pull'
  /** Response body bytes are in `payload`; empty: the body is complete. */
  | 'push'
  /** Background work is over. Final. */
  | 'finish'
  /** The log window was full; its records are in `logs`. */
  | 'log'
  /** A host call's frame is in `payload`. */
  | 'call'
  /** The guest yields; until when at most is in `payload`. */
  | 'wait'
  /** The guest gave up: a panic report is in `payload`. */
  | 'panic'
  /** A fault, or an exit that the ABI does not know. `fault` says what is known. */
  | 'crash'
  /** `deadline` passed while the guest ran. */
  | 'deadline'
  /** The guest used up its processor time. */
  | 'cpu';

/** What is known about a crash. */
export interface Fault {
  /** What happened, in words: `triple fault`, `read from port 0x60`, … */
  readonly reason: string;
  /** The guest's instruction pointer, where the host keeps it at a triple fault. */
  readonly instructionPointer?: number;
  readonly stackPointer?: number;
}

/**
 * One stop of a vCPU. `payload` and `logs` are views of memory that the driver uses again: they
 * are valid until the next call of any method of any shell of this driver. Lengths were checked
 * against the windows; the bytes are still the guest's, unchecked.
 */
export interface Exit {
  readonly kind: ExitKind;
  readonly payload: Uint8Array;
  /** Log records as in the ABI, undefined when the guest logged nothing. */
  readonly logs: Uint8Array | undefined;
  readonly fault: Fault | undefined;
  /** Time spent before the guest ran: rewind, filling the request window. Microseconds. */
  readonly spawnMicroseconds: number;
  /** Time from entering the guest to its exit. Microseconds. */
  readonly guestMicroseconds: number;
  /** Processor time of the thread that ran the guest, meanwhile. Microseconds. */
  readonly cpuMicroseconds: number;
}

/** How a guest is resumed; see `enum hatchery_resume` of the ABI. */
export interface Resume {
  /**
   * Bytes for the request window: a request frame (`request`), the next body bytes (`chunk`, empty
   * at the end), a completion frame (`completion`). At most {@link REQUEST_CAPACITY} bytes; read
   * before `run` returns.
   */
  readonly reason: 'request' | 'chunk' | 'continue' | 'completion' | 'timer';
  readonly bytes?: Uint8Array | undefined;
}

/** Bytes that one {@link Resume} can carry: HATCHERY_REQUEST_CAPACITY of the ABI. */
export const REQUEST_CAPACITY = 0x40000 - 128;

/** Bytes of the response window: HATCHERY_RESPONSE_WINDOW_BYTES of the ABI. */
export const RESPONSE_CAPACITY = 0x40000;

/**
 * Where a run starts. `inline`: on the calling thread, for a short slice; no hand-off, but the event
 * loop waits. `lane`: on a thread that is kept awake for short runs. `thread`: on any other. A run
 * that takes longer than it should moves to a thread by itself.
 */
export type Where = 'inline' | 'lane' | 'thread';

/**
 * A created virtual machine over one snapshot. It runs one thing at a time. After any exit but a
 * final `respond`, `push` or `finish` it can only be run on as the ABI says, or be destroyed.
 */
export interface Shell {
  /**
   * Runs the guest until it exits: on the calling thread where it comes back within a short slice
   * (the result is then the {@link Exit} itself), else on a thread of the driver's (a promise).
   *
   * @param resume `undefined` boots a shell of a cold snapshot, and goes on after `unconfigured`.
   * @param deadline `performance.now()` milliseconds; when it passes, the exit is `deadline`.
   * @param cpuMilliseconds processor time that the guest may use in this run; when it is used up, the
   *   exit is `cpu`. The driver may notice some milliseconds late.
   * @throws HatcheryError DRIVER_FAILED when the hypervisor fails, SHELL_GONE after `destroy`,
   *   SHELL_BUSY while an earlier run has not ended.
   */
  run(
    resume: Resume | undefined,
    deadline: number,
    cpuMilliseconds: number,
    where: Where,
  ): Exit | Promise<Exit>;

  /**
   * After a final exit: makes memory, registers and vector state equal to the snapshot again.
   * Returns what was in use before, or false when the shell must not be used again (an inexact exit, a
   * doubt, or so much memory written that a new shell is cheaper); the caller then destroys it.
   */
  rewind(): MemoryUse | false;

  /**
   * After `ready` or `unconfigured`: a snapshot of this guest, in that state. The shell can then only be
   * destroyed or run on.
   */
  capture(): Promise<Snapshot>;

  /**
   * Right after `capture` of a guest that was `ready`: makes this shell one of that snapshot's, as if it
   * had been created from it to be reusable. Returns false where the driver cannot do that or a new
   * shell is better; the caller then destroys it.
   * @throws HatcheryError SHELL_GONE, SHELL_BUSY, DRIVER_FAILED
   */
  joinCaptured(): boolean;

  /**
   * Bytes of memory that the guest has written since the shell was created; `undefined` where no
   * record of it is kept (a shell that is not reusable need not keep one).
   * @throws HatcheryError SHELL_GONE, SHELL_BUSY, DRIVER_FAILED
   */
  dirtyBytes(): number | undefined;

  /**
   * What is in use now; `undefined` where no record of written pages is kept.
   * @throws HatcheryError SHELL_GONE, SHELL_BUSY, DRIVER_FAILED
   */
  memoryUse(): MemoryUse | undefined;

  /**
   * Ends the instance at once, even while it runs, and frees everything off the calling thread.
   */
  destroy(): Promise<Remains>;
}

export type SnapshotState = 'cold' | 'unconfigured' | 'ready';

export interface Snapshot {
  /**
   * `cold`: loaded or configured, to be booted. `unconfigured`: no shell is created from it, it is to be
   * configured. `ready`: taken at the snapshot point.
   */
  readonly state: SnapshotState;
  readonly memoryBytes: number;
  /**
   * A new virtual machine over a copy-on-write view of this snapshot, made off the calling thread.
   * @param reusable keep the record of written pages that `rewind` needs, and what tells the memory in
   *   use.
   */
  createShell(options: { readonly reusable: boolean }): Promise<Shell>;
  /**
   * Of an unconfigured one: a cold snapshot that goes on from there with this configuration. It shares no
   * memory with this one.
   * @returns `undefined` where the configuration is larger than the room that was left for it.
   * @throws HatcheryError INVALID_ARGUMENT in another state, SHELL_GONE after `close`, DRIVER_FAILED
   */
  configure(configuration: Configuration): Snapshot | undefined;
  /** Frees the snapshot once its last shell is destroyed. */
  close(): void;
}

export interface Driver {
  readonly name: DriverName;
  readonly strategies: readonly Strategy[];
  /** The strategy that a function gets when it asks for none. */
  readonly defaultStrategy: Strategy;
  /** Whether `LoadOptions.shellsAhead` means anything to it. Default: no. */
  readonly keepsEmptyShells?: boolean;
  /** Whether it can capture shells at `unconfigured`. Default: no. */
  readonly capturesUnconfigured?: boolean;
  load(options: LoadOptions): Promise<Snapshot>;
  /**
   * `listener` is called each time that all machines and snapshots that there are have been lost at once:
   * they answer with errors like those that `lost` makes. `load` makes new ones, if that is still
   * possible. Missing where it cannot happen.
   */
  onLost?(listener: (lost: () => HatcheryError) => void): void;
  /** Destroys what is left. */
  close(): Promise<void>;
}

/** Whether a driver can work here, and if not, what to do about it. */
export type Availability =
  | { readonly available: true; readonly detail: string }
  | { readonly available: false; readonly reason: string; readonly remedy: string };
