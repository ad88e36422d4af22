/**
 * A `Response` whose body is there already. Node makes a stream for each body at once, which costs
 * more than all else that the fabric does for a request; here it is made when it is asked for.
 */

/** Statuses whose responses have no body: the standard's null body statuses. */
const NULL_BODY = new Set([204, 205, 304]);

const decoder = new TextDecoder();

type BodyParts =
  | 'body'
  | 'bodyUsed'
  | 'text'
  | 'json'
  | 'arrayBuffer'
  | 'blob'
  | 'formData'
  | 'clone';

/** Node's types declare methods as properties, which cannot be overridden; so they are left out. */
type Bodyless = new (
  body: null,
  init: { status: number; headers: [string, string][] },
) => Omit<Response, BodyParts>;

let Buffered: ReturnType<typeof define> | undefined;

/**
 * @param status 200 to 599.
 * @param headers name and value in turn.
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
  const BodylessResponse = Response as unknown as Bodyless;
  return class BufferedResponse extends BodylessResponse implements Pick<Response, BodyParts> {
    /** Until it was read, or a stream was made of it. */
    #bytes: Buffer | undefined;
    /** Has the stream, once there is one. */
    #streamed: Response | undefined;

    /**
     * @param status 200 to 599.
     * @param headers name and value in turn.
     * @param bytes the response's own from now on.
     */
    constructor(status: number, headers: readonly string[], bytes: Buffer) {
      super(null, { status, headers: inPairs(headers) });
      if (!NULL_BODY.has(status)) {
        this.#bytes = bytes;
      } else {
        this.#streamed = new Response(null);
      }
    }

    get body(): Response['body'] {
      return this.#stream().body;
    }

    get bodyUsed(): boolean {
      return this.#streamed === undefined ? this.#bytes === undefined : this.#streamed.bodyUsed;
    }

    async text(): Promise<string> {
      return this.#streamed === undefined ? decoder.decode(this.#take()) : this.#streamed.text();
    }

    async json(): Promise<unknown> {
      return JSON.parse(await this.text());
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      return this.#streamed === undefined
        ? new Uint8Array(this.#take()).buffer
        : this.#streamed.arrayBuffer();
    }

    async blob(): ReturnType<Response['blob']> {
      const type = this.headers.get('content-type') ?? '';
      return new Blob([await this.arrayBuffer()], { type });
    }

    async formData(): ReturnType<Response['formData']> {
      return new Response(await this.arrayBuffer(), { headers: this.headers }).formData();
    }

    clone(): Response {
      const { body } = this.#stream().clone();
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

    #stream(): Response {
      if (this.#streamed === undefined) {
        const wasRead = this.#bytes === undefined;
        this.#streamed = new Response(wasRead ? '' : new Uint8Array(this.#take()));
        if (wasRead) {
          // Locks the stream, as reading the body has done.
          void this.#streamed.text();
        }
      }
      return this.#streamed;
    }
  };
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
