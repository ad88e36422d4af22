/** The field of cells: each instance that answered a request hatches in one, and soon is gone. */
import type { Outcome } from './outcomes.js';

export type CellKind = Outcome | 'spawned';

export interface Cell {
  readonly kind: CellKind;
  /** Both in milliseconds of the clock that the field is given. */
  readonly hatchedAt: number;
  /** When it has vanished; `undefined`: not yet known. */
  vanishesAt: number | undefined;
  /** When an instance that lives on answered last. */
  answeredAt?: number;
}

/** So long a cell is to be seen whose instance lived for one request. */
export const LIFE_MILLISECONDS = 1_600;
/** So long an instance that was spawned is to be seen after its end. */
export const END_MILLISECONDS = 500;

export class Field {
  readonly #cells: (Cell | undefined)[];
  readonly #free: number[];
  readonly #spawned = new Map<string, number>();
  /** Places of cells that vanish by themselves, in the order in which they hatched. */
  #passing: number[] = [];
  readonly #random: () => number;

  /**
   * @param capacity cells at a time.
   * @param random from 0 to 1, chooses among free places.
   */
  constructor(capacity: number, random: () => number = Math.random) {
    this.#cells = new Array<Cell | undefined>(capacity).fill(undefined);
    this.#free = this.#cells.map((_, place) => place);
    this.#random = random;
  }

  /** By place; `undefined` where there is none. */
  get cells(): readonly (Cell | undefined)[] {
    return this.#cells;
  }

  /** How many live. */
  get size(): number {
    return this.#cells.length - this.#free.length;
  }

  /** Whether one will vanish by itself, so that there is something to draw. */
  get isMoving(): boolean {
    return this.#passing.length > 0;
  }

  /** One that lives for a moment. In a full field the oldest of these gives way. */
  hatch(kind: Outcome, now: number): void {
    const place = this.#takePlace();
    if (place !== undefined) {
      this.#cells[place] = { kind, hatchedAt: now, vanishesAt: now + LIFE_MILLISECONDS };
      this.#passing.push(place);
    }
  }

  /** One that lives until {@link end}. */
  spawn(instance: string, now: number): void {
    if (this.#spawned.has(instance)) {
      return;
    }
    const place = this.#takePlace();
    if (place !== undefined) {
      this.#cells[place] = { kind: 'spawned', hatchedAt: now, vanishesAt: undefined };
      this.#spawned.set(instance, place);
    }
  }

  /** A spawned one answered a request. @returns whether it is here */
  answer(instance: string, now: number): boolean {
    const cell = this.#cells[this.#spawned.get(instance) ?? -1];
    if (cell === undefined) {
      return false;
    }
    cell.answeredAt = now;
    return true;
  }

  end(instance: string, now: number): void {
    const place = this.#spawned.get(instance);
    const cell = this.#cells[place ?? -1];
    if (place !== undefined && cell !== undefined) {
      this.#spawned.delete(instance);
      cell.vanishesAt = now + END_MILLISECONDS;
      this.#passing.push(place);
    }
  }

  /** Those are the spawned instances that live, and no others. */
  reconcile(instances: Iterable<string>, now: number): void {
    const alive = new Set(instances);
    for (const instance of [...this.#spawned.keys()]) {
      if (!alive.has(instance)) {
        this.end(instance, now);
      }
    }
    for (const instance of alive) {
      this.spawn(instance, now);
    }
  }

  /** Takes away what has vanished. */
  sweep(now: number): void {
    this.#passing = this.#passing.filter((place) => {
      const over = (this.#cells[place]?.vanishesAt ?? 0) <= now;
      if (over) {
        this.#cells[place] = undefined;
        this.#free.push(place);
      }
      return !over;
    });
  }

  #takePlace(): number | undefined {
    if (this.#free.length === 0) {
      return this.#passing.shift();
    }
    const index = Math.min(Math.floor(this.#random() * this.#free.length), this.#free.length - 1);
    const place = this.#free[index] as number;
    const last = this.#free.pop() as number;
    if (index < this.#free.length) {
      this.#free[index] = last;
    }
    return place;
  }
}
