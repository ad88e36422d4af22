/** Takes secrets out of what a function says of itself: its logs, its traces. */

export class Redaction {
  readonly #pattern: RegExp | undefined;
  readonly #names = new Map<string, string>();

  /** @param secrets name and value. */
  constructor(secrets: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(secrets)) {
      // Traces and logged objects hold it as JSON writes it.
      for (const form of [value, JSON.stringify(value).slice(1, -1)]) {
        if (form !== '') {
          this.#names.set(form, name);
        }
      }
    }
    // A secret that contains another one must be found first.
    const forms = [...this.#names.keys()].sort((a, b) => b.length - a.length);
    this.#pattern =
      forms.length === 0 ? undefined : new RegExp(forms.map(literally).join('|'), 'g');
  }

  /** @returns the text with `[secret NAME]` in the place of each value. */
  apply(text: string): string {
    return this.#pattern === undefined
      ? text
      : text.replace(this.#pattern, (value) => `[secret ${this.#names.get(value)}]`);
  }
}

/** A pattern that matches the text and nothing else. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
