import { Blob, File } from './blob.js';

export type FormDataEntry = string | File;

function entryValue(value: unknown, filename?: string): FormDataEntry {
  if (!(value instanceof Blob)) return String(value).toWellFormed();
  if (value instanceof File && filename === undefined) return value;
  const { type } = value;
  return new File([value], filename ?? 'blob', {
    type,
    ...(value instanceof File && { lastModified: value.lastModified }),
  });
}

/** The XHR standard's FormData (without a form element to take it from). */
export class FormData {
  #entries: [string, FormDataEntry][] = [];

  constructor(form?: undefined) {
    if (form !== undefined) throw new TypeError('FormData: there are no form elements here');
  }

  append(name: string, value: string | Blob, filename?: string): void {
    this.#entries.push([String(name).toWellFormed(), entryValue(value, filename)]);
  }

  delete(name: string): void {
    this.#entries = this.#entries.filter(([other]) => other !== String(name));
  }

  get(name: string): FormDataEntry | null {
    return this.#entries.find(([other]) => other === String(name))?.[1] ?? null;
  }

  getAll(name: string): FormDataEntry[] {
    return this.#entries.filter(([other]) => other === String(name)).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#entries.some(([other]) => other === String(name));
  }

  set(name: string, value: string | Blob, filename?: string): void {
    const wanted = String(name).toWellFormed();
    const index = this.#entries.findIndex(([other]) => other === wanted);
    this.delete(wanted);
    const entry: [string, FormDataEntry] = [wanted, entryValue(value, filename)];
    this.#entries.splice(index < 0 ? this.#entries.length : index, 0, entry);
  }

  *entries(): Generator<[string, FormDataEntry], undefined> {
    for (let i = 0; i < this.#entries.length; i++) {
      yield [...(this.#entries[i] as [string, FormDataEntry])];
    }
  }

  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<FormDataEntry, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(
    callback: (value: FormDataEntry, name: string, form: FormData) => void,
    self?: unknown,
  ): void {
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }

  [Symbol.iterator](): Generator<[string, FormDataEntry], undefined> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'FormData';
  }
}
