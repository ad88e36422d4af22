import { bindParameters, URLSearchParams } from './url-search-params.js';

const NativeURL = globalThis.URL;

/** The URL standard's URL: the engine's extension parses, this class adds the parameters. */
export class URL extends NativeURL {
  #searchParams: URLSearchParams | undefined;

  constructor(url: string | URL, base?: string | URL) {
    if (base === undefined) super(String(url));
    else super(String(url), String(base));
  }

  get searchParams(): URLSearchParams {
    if (this.#searchParams === undefined) {
      this.#searchParams = new URLSearchParams();
      this.#updateParameters();
    }
    return this.#searchParams;
  }

  #updateParameters(): void {
    if (this.#searchParams === undefined) return;
    bindParameters(this.#searchParams, super.search.slice(1), (text) => {
      super.search = text;
    });
  }

  override get search(): string {
    return super.search;
  }

  override set search(text: string) {
    super.search = String(text);
    this.#updateParameters();
  }

  override get href(): string {
    return super.href;
  }

  override set href(text: string) {
    super.href = String(text);
    this.#updateParameters();
  }

  get [Symbol.toStringTag](): string {
    return 'URL';
  }

  static override canParse(url: string | URL, base?: string | URL): boolean {
    return base === undefined
      ? NativeURL.canParse(String(url))
      : NativeURL.canParse(String(url), String(base));
  }

  static parse(url: string | URL, base?: string | URL): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }
}
