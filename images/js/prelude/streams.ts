/**
 * The Streams standard, as the package web-streams-polyfill (made from the standard's reference
 * implementation) has it, and the two text streams of the Encoding standard.
 */

import { type ReadableStream, TransformStream } from 'web-streams-polyfill';

export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill';

export class TextEncoderStream {
  readonly #transform: TransformStream<string, Uint8Array>;

  constructor() {
    const encoder = new TextEncoder();
    let highSurrogate = '';
    this.#transform = new TransformStream({
      transform(chunk, controller) {
        const text = highSurrogate + String(chunk);
        highSurrogate = /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
        const bytes = encoder.encode(text.slice(0, text.length - highSurrogate.length));
        if (bytes.length > 0) controller.enqueue(bytes);
      },
      flush(controller) {
        if (highSurrogate !== '') controller.enqueue(encoder.encode(highSurrogate));
      },
    });
  }

  get encoding(): string {
    return 'utf-8';
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#transform.readable;
  }

  get writable(): TransformStream<string, Uint8Array>['writable'] {
    return this.#transform.writable;
  }

  get [Symbol.toStringTag](): string {
    return 'TextEncoderStream';
  }
}

export class TextDecoderStream {
  readonly #transform: TransformStream<ArrayBuffer | ArrayBufferView, string>;
  readonly #decoder: TextDecoder;

  constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const decoder = new TextDecoder(label, options);
    this.#decoder = decoder;
    this.#transform = new TransformStream({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== '') controller.enqueue(text);
      },
    });
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }

  get fatal(): boolean {
    return this.#decoder.fatal;
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }

  get readable(): ReadableStream<string> {
    return this.#transform.readable;
  }

  get writable(): TransformStream<ArrayBuffer | ArrayBufferView, string>['writable'] {
    return this.#transform.writable;
  }

  get [Symbol.toStringTag](): string {
    return 'TextDecoderStream';
  }
}
