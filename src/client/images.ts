/** Images of a server: those that clients have sent, and how one is sent. */
import { ApiError } from './api-error.js';
import type { Transport } from './transport.js';
import type { BlobFacts, ImageFacts, ImageList } from './types.js';

/** All of an image, as a store of `hatchery image` has it. */
export interface WholeImage {
  /** Of the manifest: `sha256:…`. */
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  /** Its code. */
  readonly elf: Uint8Array;
}

export interface UploadOptions {
  /** Told of how many bytes of those that are missing were sent. */
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface Uploaded extends ImageFacts {
  /** How many blobs were missing, and what they are together. */
  readonly sentBlobs: number;
  readonly sentBytes: number;
}

const PIECE_BYTES = 256 * 1024;
/** The server may have found that what it had is broken. */
const TRIES = 2;

export class ImagesClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(): Promise<ImageList> {
    return this.#transport.ask('/v1/images');
  }

  /** Which of these the server has not got. */
  async missing(blobs: readonly BlobFacts[]): Promise<readonly string[]> {
    const ask = { method: 'POST', body: { blobs } } as const;
    return (await this.#transport.ask<{ missing: string[] }>('/v1/blobs/missing', ask)).missing;
  }

  /** Sends one blob. A stream needs a `fetch` that sends streams: that of Node does. */
  putBlob(
    digest: string,
    bytes: Uint8Array | ReadableStream<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<BlobFacts> {
    const path = `/v1/blobs/${encodeURIComponent(digest)}`;
    return this.#transport.ask(path, { method: 'PUT', bytes, signal });
  }

  /** Makes an image of blobs that are there. */
  put(digest: string, manifest: string, signal?: AbortSignal): Promise<ImageFacts> {
    const path = `/v1/images/${encodeURIComponent(digest)}`;
    return this.#transport.ask(path, { method: 'PUT', body: { manifest }, signal });
  }

  /** Sends what is missing of an image; it can be deployed by its digest then. */
  async upload(image: WholeImage, options: UploadOptions = {}): Promise<Uploaded> {
    const { signal } = options;
    const manifest = new TextDecoder().decode(image.manifest);
    const parts = partsOf(image, manifest);
    for (let turn = 1; ; turn += 1) {
      const missing = await this.missing(parts.map(({ digest, size }) => ({ digest, size })));
      const toSend = parts.filter(({ digest }) => missing.includes(digest));
      const sentBytes = await this.#send(toSend, options);
      try {
        const facts = await this.put(image.digest, manifest, signal);
        return { ...facts, sentBlobs: toSend.length, sentBytes };
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'BLOBS_MISSING' || turn >= TRIES) {
          throw error;
        }
      }
    }
  }

  async #send(parts: readonly Part[], { onProgress, signal }: UploadOptions): Promise<number> {
    const total = parts.reduce((sum, { size }) => sum + size, 0);
    let sent = 0;
    const count = (bytes: number) => {
      sent += bytes;
      onProgress?.(sent, total);
    };
    for (const { digest, bytes } of parts) {
      // Browsers send whole bodies only.
      const body = onProgress === undefined ? bytes : inPieces(bytes, count);
      await this.putBlob(digest, body, signal);
    }
    return total;
  }
}

interface Part extends BlobFacts {
  readonly bytes: Uint8Array;
}

function partsOf({ config, elf }: WholeImage, manifest: string): readonly Part[] {
  const named = JSON.parse(manifest) as { config: BlobFacts; layers: [BlobFacts] };
  return [
    { digest: named.config.digest, size: config.length, bytes: config },
    { digest: named.layers[0].digest, size: elf.length, bytes: elf },
  ];
}

function inPieces(bytes: Uint8Array, count: (bytes: number) => void): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (piece.length === 0) {
        controller.close();
        return;
      }
      at += piece.length;
      controller.enqueue(piece);
      count(piece.length);
    },
  });
}
