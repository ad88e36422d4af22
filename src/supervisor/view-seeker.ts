/** A worker's questions for views of the Zerg page that another worker rendered. */
import type { View } from '../zerg/view.js';
import type { FromWorker } from './messages.js';

/** Who asks for more at a time is told that there are none. */
const MOST = 256;

export class ViewSeeker {
  readonly #send: (message: FromWorker) => void;
  readonly #waiting = new Map<number, (view: View | undefined) => void>();
  #next = 0;

  /** @param send asks the supervisor, which knows the others. */
  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  seek(owner: string, id: string): Promise<View | undefined> {
    if (this.#waiting.size >= MOST) {
      return Promise.resolve(undefined);
    }
    const seek = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(seek, resolve);
      this.#send({ type: 'seek', seek, owner, id });
    });
  }

  /** The supervisor always answers. */
  settle(seek: number, view: View | undefined): void {
    this.#waiting.get(seek)?.(view);
    this.#waiting.delete(seek);
  }
}
