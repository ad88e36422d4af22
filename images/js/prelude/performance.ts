import { EventTarget } from './event.js';
import { host } from './host.js';

/** High Resolution Time: counts from the moment when the request was handed over. */
export class Performance extends EventTarget {
  now(): number {
    return host.now();
  }

  get timeOrigin(): number {
    return host.timeOrigin();
  }

  toJSON(): { timeOrigin: number } {
    return { timeOrigin: this.timeOrigin };
  }

  override get [Symbol.toStringTag](): string {
    return 'Performance';
  }
}
