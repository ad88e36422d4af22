import { Blob, bytesOf, concatenate, copyBytes } from './blob.js';
import { isDisturbed, streamFrom, streamOf } from './byte-stream.js';
import { FormData } from './form-data.js';
import type { Headers } from './headers.js';
import { decodeMultipart, encodeMultipart } from './multipart.js';
import { Source } from './source.js';
import { ReadableStream } from './streams.js';
import { parseUrlEncoded, URLSearchParams } from './url-search-params.js';

export type BodyInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream;

/** null: no body. Text stands for its UTF-8. */
export type Content = string | Uint8Array | ReadableStream | Source | null;

/** What a body is made of, and the content type that it implies (Fetch: extract a body). */
export function extractContent(init: BodyInit): { content: Content; type?: string } {
  if (typeof init === 'string') return { content: init, type: 'text/plain;charset=UTF-8' };
  if (init instanceof ReadableStream) {
    if (init.locked || isDisturbed(init)) throw new TypeError('the body stream is in use already');
    return { content: init };
  }
  if (init instanceof URLSearchParams) {
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { content: init.toString(), type };
  }
  if (init instanceof Blob) {
    return { content: bytesOf(init), ...(init.type !== '' && { type: init.type }) };
  }
  if (init instanceof FormData) {
    const { bytes, type } = encodeMultipart(init);
    return { content: bytes, type };
  }
  const bytes = copyBytes(init);
  if (bytes !== undefined) return { content: bytes };
  return { content: String(init), type: 'text/plain;charset=UTF-8' };
}

async function readAll(stream: ReadableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatenate(chunks);
    if (!(value instanceof Uint8Array)) throw new TypeError('a body chunk is no Uint8Array');
    chunks.push(value);
  }
}

/** All of a content that is there, as it can be sent. */
export async function contentBytes(content: NonNullable<Content>): Promise<string | Uint8Array> {
  if (content instanceof Source) return content.bytes();
  return content instanceof ReadableStream ? readAll(content) : content;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Takes the content to send it; null if there is none. The body counts as used then. */
let takeContent: (body: Body) => Content;
/** Two contents in the place of the one, which stays unused. */
let duplicateContent: (body: Body) => Content;
let setContent: (body: Body, content: Content) => void;

/** The Fetch standard's Body mixin. */
export abstract class Body {
  #content: Content = null;
  #isUsed = false;
  /** Made when the program asks for it; from then on the content is this stream. */
  #stream: ReadableStream | null = null;

  static {
    takeContent = (body) => body.#take();
    duplicateContent = (body) => body.#duplicate();
    setContent = (body, content) => {
      body.#content = content;
    };
  }

  abstract get headers(): Headers;

  get bodyUsed(): boolean {
    return this.#isUsed || (this.#stream !== null && isDisturbed(this.#stream));
  }

  get body(): ReadableStream | null {
    const content = this.#content;
    if (content === null || this.#stream !== null) return this.#stream;
    if (content instanceof Source) {
      this.#stream = streamFrom(content);
    } else if (typeof content === 'string') {
      this.#stream = streamOf(new TextEncoder().encode(content));
    } else {
      this.#stream = content instanceof Uint8Array ? streamOf(content) : content;
    }
    return this.#stream;
  }

  #take(): Content {
    const content = this.#stream ?? this.#content;
    if (this.bodyUsed || (content instanceof ReadableStream && content.locked)) {
      throw new TypeError('the body is in use or was read already');
    }
    if (content !== null) this.#isUsed = true;
    return content;
  }

  #duplicate(): Content {
    const content = this.#take();
    this.#isUsed = false;
    if (content instanceof Source && content.isWhole()) {
      this.#content = content.bytes() as Uint8Array;
      return this.#content;
    }
    const stream = content instanceof Source ? streamFrom(content) : content;
    if (!(stream instanceof ReadableStream)) return content;
    const [first, second] = stream.tee();
    this.#stream = first;
    this.#content = first;
    return second;
  }

  async text(): Promise<string> {
    const content = this.#take();
    if (typeof content === 'string') return content.toWellFormed();
    if (content === null) return '';
    if (content instanceof Source) return content.text();
    return decode(content instanceof Uint8Array ? content : await readAll(content));
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    const content = this.#take();
    if (content === null) return new Uint8Array(0);
    if (content instanceof Source) return content.bytes();
    if (typeof content === 'string') return new TextEncoder().encode(content);
    return content instanceof Uint8Array ? content.slice() : readAll(content);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer;
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.headers.get('content-type') ?? '' });
  }

  async formData(): Promise<FormData> {
    const type = this.headers.get('content-type') ?? '';
    if (/^multipart\/form-data\s*(;|$)/i.test(type)) {
      return decodeMultipart(await this.bytes(), type);
    }
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
      throw new TypeError('formData(): the content type is not that of a form');
    }
    const form = new FormData();
    const rows = parseUrlEncoded(await this.text());
    for (let i = 0; i < rows.length; i += 2) form.append(rows[i] as string, rows[i + 1] as string);
    return form;
  }
}

export { duplicateContent, setContent, takeContent };
