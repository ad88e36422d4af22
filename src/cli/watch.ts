/** Watches the source files of a function and says when to deploy it again. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** Editors write a file in several steps; these are taken as one. */
const QUIET_MILLISECONDS = 60;

/** @returns the files to watch from now on, absolute; `undefined`: it failed, watch as before */
export type Redeploy = () => Promise<readonly string[] | undefined>;

export class SourceWatcher {
  readonly #redeploy: Redeploy;
  readonly #watchers = new Map<string, FSWatcher>();
  #files = new Set<string>();
  /** The last deployment failed: a file that was missing may have come since. */
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(files: readonly string[], redeploy: Redeploy) {
    this.#redeploy = redeploy;
    this.#watch(files);
  }

  /** Folders are watched, not files: many editors replace a file by another one. */
  #watch(files: readonly string[]): void {
    this.#files = new Set(files.filter((file) => !file.includes(`${sep}node_modules${sep}`)));
    const folders = new Set([...this.#files].map((file) => dirname(file)));
    for (const [folder, watcher] of this.#watchers) {
      if (!folders.has(folder)) {
        watcher.close();
        this.#watchers.delete(folder);
      }
    }
    for (const folder of folders) {
      if (!this.#watchers.has(folder)) {
        this.#watchers.set(folder, this.#watchFolder(folder));
      }
    }
  }

  #watchFolder(folder: string): FSWatcher {
    const watcher = watch(folder, (_event, name) => {
      if (name === null || this.#failed || this.#files.has(join(folder, name))) {
        this.#changed();
      }
    });
    // The folder is gone: there is nothing to watch until a deployment names other files.
    watcher.on('error', () => this.#watchers.delete(folder));
    return watcher;
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#working = this.#working.then(() => this.#deploy());
    }, QUIET_MILLISECONDS);
  }

  async #deploy(): Promise<void> {
    if (this.#closed) {
      return;
    }
    const files = await this.#redeploy();
    this.#failed = files === undefined;
    if (files !== undefined && !this.#closed) {
      this.#watch(files);
    }
  }

  /** Stops watching, after a deployment that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) {
      watcher.close();
    }
    await this.#working;
  }
}
