/**
 * What a worker notes of its connections in memory that its supervisor can read, too, so that the
 * supervisor knows after the worker's death what each client was waiting for. Slot 0 counts the
 * worker's heartbeats.
 */
const NUMBERS = 2;
const FIRST_SLOT = 1;

/** Bytes of a table for so many connections; only those that are used take memory. */
export function tableBytes(connections: number): number {
  return (FIRST_SLOT + connections) * NUMBERS * Float64Array.BYTES_PER_ELEMENT;
}

/** What was read and sent by the last moment that no request was in flight. */
export interface Record {
  readonly received: number;
  readonly written: number;
}

export class ConnectionTable {
  readonly #numbers: Float64Array;

  /** @param memory of {@link tableBytes}, shared with the other process. */
  constructor(memory: ArrayBuffer) {
    this.#numbers = new Float64Array(memory);
  }

  /** The first number that no slot has; the lowest is 1. */
  get end(): number {
    return this.#numbers.length / NUMBERS;
  }

  get heartbeats(): number {
    return this.#numbers[0] as number;
  }

  beat(): void {
    this.#numbers[0] = this.heartbeats + 1;
  }

  read(slot: number): Record {
    const at = slot * NUMBERS;
    return {
      received: this.#numbers[at] as number,
      written: this.#numbers[at + 1] as number,
    };
  }

  /** Everything that was received is answered. */
  noteReceived(slot: number, received: number): void {
    this.#numbers[slot * NUMBERS] = received;
  }

  /** What was written ends with the end of a response. */
  noteWritten(slot: number, written: number): void {
    this.#numbers[slot * NUMBERS + 1] = written;
  }

  clear(slot: number): void {
    this.#numbers.fill(0, slot * NUMBERS, (slot + 1) * NUMBERS);
  }
}
