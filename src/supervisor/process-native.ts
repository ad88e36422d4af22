/** The addon for worker processes (`native/process`): its shape, and how it is found. */
import { loadAddon } from '../native-addon.js';

export interface ConnectionBytes {
  /** From the peer, read or not. */
  readonly received: number;
  /** Of those, in the socket's buffer. */
  readonly unread: number;
  /** To the peer, by whoever holds the socket; may count the handshake as one. */
  readonly written: number;
}

export interface LockDownPlan {
  /** Whom to become; `group` goes with it. */
  readonly user?: number;
  readonly group?: number;
  /** The process that started this one; when it ends, so does this one. */
  readonly parent: number;
  readonly openFiles: number;
  /** Of the user; holds where `user` is given. */
  readonly threads: number;
  /** Files and folders that may still be read, where the kernel has Landlock. */
  readonly readable: readonly string[];
  /** It starts programs, which are bound as it is, and has no network. */
  readonly builder?: BuilderPlan;
}

export interface BuilderPlan {
  /** Files that may be run, and folders of such files. */
  readonly programs: readonly string[];
  /** Folders in which files and folders may be made, changed and removed, and files to be written. */
  readonly writable: readonly string[];
  /** Memory that each process may write to. */
  readonly dataBytes: number;
  /** Processor time of each process, after which it is killed. */
  readonly cpuSeconds: number;
  /** Size of each file that is written; whoever goes on is killed. Default: no limit. */
  readonly fileBytes?: number;
}

export interface Walls {
  /** The version of Landlock; 0: none. */
  readonly landlock: number;
  readonly seccomp: boolean;
}

/** Functions throw an Error with `call` and `errno`. */
export interface ProcessAddon {
  /** Memory that another process can map through the descriptor, which is the caller's to close. */
  createTable(bytes: number): { readonly descriptor: number; readonly memory: ArrayBuffer };
  mapTable(descriptor: number): ArrayBuffer;
  connectionBytes(descriptor: number): ConnectionBytes;
  /** What the kernel offers. */
  walls(): Walls;
  /** For every thread, and for ever. */
  lockDown(plan: LockDownPlan): void;
}

/** @throws HatcheryError ADDON_MISSING */
export function loadProcessAddon(name = 'hatchery_process'): ProcessAddon {
  return loadAddon(name) as ProcessAddon;
}
