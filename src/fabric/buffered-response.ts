/**
 * A `Response` whose body is there already. Node validates the head and makes a stream for the body at
 * once, which costs more than all else that the fabric does for a request; here the head was validated
 * when it came, and what is not asked for is not made.
 */

/** Statuses whose responses have no body: the standard's null body statuses. */
const NULL_BODY = new Set([204, 205, 304]);

const decoder = new TextDecoder();

let Buffered: ReturnType<typeof define> | undefined;

/**
 * @param status 200 to 599.
 * @param headers name and value in turn, valid by RFC 9110.
 * @param bytes the response's own from now on.
 */
export function bufferedResponse(
  status: number,
  headers: readonly string[],
  bytes: Buffer,
): Response {
  Buffered ??= define();
  return new Buffered(status, headers, bytes);
}

/**
 * The first mention of `Response` makes Node load its `fetch`, some 15 ms and 2 MiB, which worker
 * processes have no use for. `src/index.ts` does it at once.
 */
function define() {
  /** Its objects are instances of `Response` to `instanceof`, and have no state of Node's. */
  const Unmade = function Response() {} as unknown as new () => object;
  Unmade.prototype = Response.prototype;

  class BufferedResponse extends Unmade implements Response {
    readonly #status: number;
    readonly #pairs: readonly string[];
    #headers: Headers | undefined;
    /** Until it was read, or became a response of Node's. */
    #bytes: Buffer | undefined;
    /** Node's, once something was asked for that only that can do. */
    #standard: Response | undefined;

    constructor(status: number, headers: readonly string[], bytes: Buffer) {
      super();
      this.#status = status;
      this.#pairs = headers;
      if (!NULL_BODY.has(status)) {
        this.#bytes = bytes;
      } else {
        this.#standard = new Response(null, { status });
      }
    }

    get type(): Response['type'] {
      return 'default';
    }

    get url(): string {
      return '';
    }

    get redirected(): boolean {
      return false;
    }

    get statusText(): string {
      return '';
    }

    get status(): number {
      return this.#status;
    }

    get ok(): boolean {
      return this.#status < 300;
    }

    get headers(): Headers {
      this.#headers ??= new Headers(inPairs(this.#pairs));
      return this.#headers;
    }

    get body(): Response['body'] {
      return this.#made().body;
    }

    get bodyUsed(): boolean {
      return this.#standard === undefined ? this.#bytes === undefined : this.#standard.bodyUsed;
    }

    async text(): Promise<string> {
      return this.#standard === undefined ? decoder.decode(this.#take()) : this.#standard.text();
    }

    async json(): Promise<unknown> {
      return JSON.parse(await this.text());
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      return this.#standard === undefined
        ? new Uint8Array(this.#take()).buffer
        : this.#standard.arrayBuffer();
    }

    async bytes(): Promise<Uint8Array<ArrayBuffer>> {
      return new Uint8Array(await this.arrayBuffer());
    }

    async blob(): ReturnType<Response['blob']> {
      const type = this.headers.get('content-type') ?? '';
      return new Blob([await this.arrayBuffer()], { type });
    }

    async formData(): ReturnType<Response['formData']> {
      return new Response(await this.arrayBuffer(), { headers: this.headers }).formData();
    }

    clone(): Response {
      const { body } = this.#made().clone();
      return new Response(body, { status: this.status, headers: this.headers });
    }

    /** @throws TypeError where the body was read already */
    #take(): Buffer {
      const bytes = this.#bytes;
      if (bytes === undefined) {
        throw new TypeError('Body is unusable: Body has already been read');
      }
      this.#bytes = undefined;
      return bytes;
    }

    #made(): Response {
      if (this.#standard === undefined) {
        const wasRead = this.#bytes === undefined;
        this.#standard = new Response(wasRead ? '' : new Uint8Array(this.#take()));
        if (wasRead) {
          // Locks the stream, as reading the body has done.
          void this.#standard.text();
        }
      }
      return this.#standard;
    }
  }
  // As `Response` and all that the platform defines has it.
  Object.defineProperty(BufferedResponse, 'name', { value: 'Response' });
  return BufferedResponse;
}

/** A `Response` whose body is still coming. */
export function streamedResponse(
  status: number,
  headers: readonly string[],
  body: AsyncIterable<Uint8Array>,
): Response {
  if (NULL_BODY.has(status)) {
    void body[Symbol.asyncIterator]().return?.();
    return new Response(null, { status, headers: inPairs(headers) });
  }
  return new Response(ReadableStream.from(body), { status, headers: inPairs(headers) });
}

function inPairs(headers: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    pairs.push([headers[i] as string, headers[i + 1] as string]);
  }
  return pairs;
}
