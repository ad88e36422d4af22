/** The builder of images as the command line uses it, and what it says while it builds. */
import { basename, resolve } from 'node:path';
import { BuildCache } from '../../image/build/build-cache.js';
import {
  type BuildOrder,
  type BuildResult,
  ImageBuilder,
} from '../../image/build/image-builder.js';
import { Sdk } from '../../image/build/sdk.js';
import { ImageStore } from '../../image/store/image-store.js';
import { loadProcessAddon } from '../../supervisor/process-native.js';
import { workerUser } from '../../supervisor/user.js';
import type { Terminal } from '../terminal.js';

/** What takes longer is told. */
const QUIET_MILLISECONDS = 1_000;
const EVERY_MILLISECONDS = 5_000;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Builds an image, and shows on standard error what takes long. A signal stops the compilers and removes
 * what they wrote, before it has its usual effect.
 * @throws HatcheryError as ImageBuilder.build, ADDON_MISSING
 */
export async function buildImage(order: BuildOrder, terminal: Terminal): Promise<BuildResult> {
  const store = new ImageStore();
  const progress = new Progress(order, terminal);
  const user = workerUser(undefined);
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    stoppedBy ??= signal;
    stop.abort();
  };
  for (const signal of SIGNALS) {
    process.on(signal, onSignal);
  }
  const builder = new ImageBuilder({
    ...{ store, user, cache: new BuildCache(store), sdk: () => Sdk.open() },
    signal: stop.signal,
    onStep: (step) => {
      warnOfMissingWall(terminal);
      progress.begin(step);
    },
  });
  try {
    return await builder.build(order);
  } finally {
    progress.end();
    for (const signal of SIGNALS) {
      process.off(signal, onSignal);
    }
    // A server waits for signals itself.
    if (stoppedBy !== undefined && process.listenerCount(stoppedBy) === 0) {
      process.kill(process.pid, stoppedBy);
    }
  }
}

let isWarned = false;

/** A compiler reads what its user may read, where the kernel does not forbid it. */
function warnOfMissingWall(terminal: Terminal): void {
  if (!isWarned && loadProcessAddon().walls().landlock === 0) {
    isWarned = true;
    terminal.note(
      'warning: this kernel has no Landlock, so what is built can include any file that its user ' +
        'may read; see "hatchery doctor".',
    );
  }
}

class Progress {
  readonly #terminal: Terminal;
  readonly #what: string;
  readonly #start = performance.now();
  #step = '';
  #timer: NodeJS.Timeout | undefined;

  constructor({ sources }: BuildOrder, terminal: Terminal) {
    this.#terminal = terminal;
    const more = sources.length > 1 ? ` and ${sources.length - 1} more` : '';
    this.#what = `${basename(resolve(sources[0] ?? ''))}${more}`;
  }

  begin(step: string): void {
    this.#step = step;
    this.#timer ??= setTimeout(() => this.#tell(), QUIET_MILLISECONDS);
  }

  #tell(): void {
    const seconds = ((performance.now() - this.#start) / 1_000).toFixed(0);
    this.#terminal.note(`Building ${this.#what}: ${this.#step} (${seconds} s)`);
    this.#timer = setTimeout(() => this.#tell(), EVERY_MILLISECONDS);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
