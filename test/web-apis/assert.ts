/** Assertions for code that runs in the guest. */

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

export function equal(actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) {
    throw new Error(`got ${show(actual)}, expected ${show(expected)}`);
  }
}

/** Compares what JSON shows of the values. */
export function same(actual: unknown, expected: unknown): void {
  equal(JSON.stringify(actual), JSON.stringify(expected));
}

export function ok(condition: unknown, what = 'the condition'): void {
  if (!condition) throw new Error(`${what} does not hold`);
}

/** The function must throw an error of this name. */
export function throws(name: string, run: () => unknown): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  equal((thrown as Error | undefined)?.name, name);
}

/** The promise must be rejected with an error of this name. */
export async function rejects(name: string, promise: Promise<unknown>): Promise<void> {
  const reason = await promise.then(
    () => undefined,
    (error) => error,
  );
  equal((reason as Error | undefined)?.name, name);
}

export function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values);
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function hex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** All chunks of a stream. */
export async function drain<Chunk>(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    chunks.push(value);
  }
}
