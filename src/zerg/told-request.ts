/** A request that says one thing more, which is known only when the request is on its way. */
import type { ByteStream, FunctionRequest } from '../fabric/message.js';

export class ToldRequest implements FunctionRequest {
  readonly #request: FunctionRequest;
  readonly #name: string;
  readonly #value: () => string;

  /**
   * @param name of a header that nobody else can have set.
   * @param value is asked when an instance has been found and the request is laid before it.
   */
  constructor(request: FunctionRequest, name: string, value: () => string) {
    this.#request = request;
    this.#name = name;
    this.#value = value;
  }

  get id(): string {
    return this.#request.id;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.url;
  }

  get headers(): readonly string[] {
    return [...this.#request.headers, this.#name, this.#value()];
  }

  get body(): Uint8Array | undefined {
    return this.#request.body;
  }

  get rest(): ByteStream | undefined {
    return this.#request.rest;
  }

  get onGone(): (() => void) | undefined {
    return this.#request.onGone;
  }

  set onGone(gone: (() => void) | undefined) {
    this.#request.onGone = gone;
  }
}
