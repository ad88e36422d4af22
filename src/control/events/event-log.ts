/** What happened, in order: the last events, and who listens. */
import { randomBytes } from 'node:crypto';
import { KEPT_CRASHES } from '../../api/event-operations.js';
import type { EventOf } from '../../api/operation.js';
import type { Operations } from '../../api/operations.js';

export type ControlEvent = EventOf<Operations['followEvents']>;

export interface LoggedEvent {
  /** Names the event for a client that resumes. */
  readonly id: string;
  readonly event: ControlEvent;
}

export type EventListener = (logged: LoggedEvent) => void;

/** How many are kept. */
const KEPT = 10_000;

export class EventLog {
  /** Tells the ids of this process from those of earlier ones. */
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #kept: number;
  readonly #listeners = new Set<EventListener>();
  readonly #crashes: ControlEvent[] = [];
  #events: LoggedEvent[] = [];
  /** The number of the first of them. */
  #first = 1;

  constructor(kept = KEPT) {
    this.#kept = kept;
  }

  append(event: ControlEvent): void {
    if (event.type === 'crashed') {
      this.#crashes.push(event);
      if (this.#crashes.length > KEPT_CRASHES) {
        this.#crashes.shift();
      }
    }
    const logged = { id: `${this.#epoch}-${this.#first + this.#events.length}`, event };
    this.#events.push(logged);
    // In larger steps, since each moves all that stay.
    if (this.#events.length >= 2 * this.#kept) {
      this.#first += this.#events.length - this.#kept;
      this.#events = this.#events.slice(-this.#kept);
    }
    for (const listener of this.#listeners) {
      listener(logged);
    }
  }

  /** @returns what ends it. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The events behind the one of that id.
   * @returns with `lost`: whether some in between are not kept any more. Of an earlier process none are;
   *   their number is then not known, and 0.
   */
  since(id: string): { readonly events: readonly LoggedEvent[]; readonly lost?: number } {
    const [epoch, text = ''] = id.split('-');
    const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    const oldest = this.#first + Math.max(0, this.#events.length - this.#kept);
    if (epoch !== this.#epoch || number === undefined) {
      return { events: this.#from(oldest), lost: 0 };
    }
    const next = number + 1;
    return next < oldest
      ? { events: this.#from(oldest), lost: oldest - next }
      : { events: this.#from(next) };
  }

  /** The last crashes, the oldest first; more quiet events do not displace them. */
  get crashes(): readonly ControlEvent[] {
    return this.#crashes;
  }

  /** All that are kept. */
  all(): readonly LoggedEvent[] {
    return this.#from(this.#first + Math.max(0, this.#events.length - this.#kept));
  }

  #from(number: number): readonly LoggedEvent[] {
    return this.#events.slice(Math.max(0, number - this.#first));
  }
}
