/** What a function's instances are made from, and that can be made once more. */
export class Renewable<Value> {
  readonly #make: () => Promise<Value>;
  readonly #free: (value: Value) => void;
  #value: Promise<Value> | undefined;

  /**
   * @param first is there already.
   * @param make makes another one, when it is needed after a `lose`.
   */
  constructor(first: Value, make: () => Promise<Value>, free: (value: Value) => void) {
    this.#value = Promise.resolve(first);
    this.#make = make;
    this.#free = free;
  }

  /** Where making it fails, whoever asks next has it tried again. */
  get(): Promise<Value> {
    if (this.#value === undefined) {
      const making = this.#make();
      this.#value = making;
      making.catch(() => {
        if (this.#value === making) {
          this.#value = undefined;
        }
      });
    }
    return this.#value;
  }

  /**
   * Frees what there is: it is of no use any more.
   * @param value what `get` gave and proved to be lost; where another is there already, that stays.
   */
  lose(value?: Promise<Value>): void {
    const lost = this.#value;
    if (lost !== undefined && (value === undefined || value === lost)) {
      this.#value = undefined;
      lost.then(this.#free, () => {});
    }
  }
}
