import { concatenate } from './blob.js';

/** Where the bytes of a body come from while nobody has asked for them yet. */
export abstract class Source {
  /** Whether all of them are there, so that `text` and `bytes` give no promise. */
  abstract isWhole(): boolean;

  /** The next bytes; undefined at the end. Not to be called again before the promise is settled. */
  abstract chunk(): Uint8Array | undefined | Promise<Uint8Array | undefined>;

  /** Nobody wants the rest. */
  abstract cancel(): void;

  async collect(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const chunk = await this.chunk();
      if (chunk === undefined) return concatenate(chunks);
      chunks.push(chunk);
    }
  }

  bytes(): Uint8Array | Promise<Uint8Array> {
    return this.collect();
  }

  text(): string | Promise<string> {
    return this.collect().then((bytes) => new TextDecoder().decode(bytes));
  }
}
