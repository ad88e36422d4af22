/**
 * What one request took of the machine. docs/usage.md says how each figure is found out with each
 * strategy. All are whole numbers, and none is negative.
 */
export interface Usage {
  /**
   * Processor time of the guest in this request, in microseconds; what its start-up took is not in it.
   * Of a run of up to a millisecond it is the time from its start to its end, of a longer one what the
   * kernel, or Xen, counted.
   */
  readonly cpuMicroseconds: number;
  /**
   * The memory that the instance had in use at the end of the request, in bytes: whole pages, of what
   * it started from those that were filled, and those that were written. Never more than the limit
   * `memoryBytes`. `undefined` until the instance is gone, and where the driver cannot know it.
   */
  readonly peakMemoryBytes?: number;
  /** Those pages of it that were written, in bytes; `undefined` as that. */
  readonly dirtyMemoryBytes?: number;
  /** Bytes of the request's body that were there when the instance got it, or that it has read since. */
  readonly bytesIn: number;
  /** Bytes of the response's body that came out of the instance; of an error that it reports, 0. */
  readonly bytesOut: number;
  /** Fetches, and calls of bindings, that it began. */
  readonly hostCalls: number;
}

/** What of its memory an instance has in use, in bytes: whole pages. */
export interface MemoryUse {
  /**
   * Written, by the guest or for it, since its virtual machine was created or rewound. Pages that were
   * written and are as they were before may be left out.
   */
  readonly dirtyBytes: number;
  /** These pages, and those that the snapshot's guest, or the image, has filled. */
  readonly usedBytes: number;
}

/** What is known of an instance when it is gone. */
export interface Remains {
  readonly memory: MemoryUse | undefined;
  /** Processor time of the run in the middle of which it was ended, in microseconds; else 0. */
  readonly cpuMicroseconds: number;
}

export const NOTHING_KNOWN: Remains = { memory: undefined, cpuMicroseconds: 0 };

/** The usage of one request while it becomes known. The exchange writes it, then who ends its instance. */
export class Meter {
  cpuMicroseconds = 0;
  bytesIn = 0;
  bytesOut = 0;
  hostCalls = 0;
  #memory: MemoryUse | undefined;
  #state: 'running' | 'stopped' | 'closed' = 'running';
  #closed: (() => void)[] | undefined;

  /** The guest runs no more: its virtual machine is being rewound or destroyed, if it is not yet. */
  get isStopped(): boolean {
    return this.#state !== 'running';
  }

  /** Nothing is to come any more. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  stop(): void {
    if (this.#state === 'running') {
      this.#state = 'stopped';
    }
  }

  close({ memory, cpuMicroseconds }: Remains): void {
    this.#state = 'closed';
    this.#memory = memory;
    this.cpuMicroseconds += cpuMicroseconds;
    const waiting = this.#closed;
    this.#closed = undefined;
    for (const callback of waiting ?? []) {
      callback();
    }
  }

  /** @param callback must not throw. It is called at once where the meter is closed. */
  whenClosed(callback: () => void): void {
    if (this.isClosed) {
      callback();
    } else {
      this.#closed ??= [];
      this.#closed.push(callback);
    }
  }

  /** As far as it is known. */
  read(): Usage {
    const memory = this.#memory;
    return {
      cpuMicroseconds: Math.round(this.cpuMicroseconds),
      ...(memory && { peakMemoryBytes: memory.usedBytes, dirtyMemoryBytes: memory.dirtyBytes }),
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      hostCalls: this.hostCalls,
    };
  }

  /** The same for a `desc` of the header `Server-Timing`: `cpu=58us in=0B out=11B host-calls=0`. */
  describe(): string {
    const { cpuMicroseconds, bytesIn, bytesOut, hostCalls } = this;
    const cpu = Math.round(cpuMicroseconds);
    const text = `cpu=${cpu}us in=${bytesIn}B out=${bytesOut}B host-calls=${hostCalls}`;
    const memory = this.#memory;
    return memory === undefined
      ? text
      : `${text} dirty=${memory.dirtyBytes}B peak=${memory.usedBytes}B`;
  }
}
