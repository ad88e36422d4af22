/** Reads a stream of server-sent events (WHATWG HTML, section 9.2). */

export interface ServerSentEvent {
  /** The last id that was given, in this event or before. */
  readonly id: string;
  readonly data: string;
}

/** Makes events of text that comes in pieces of any length. */
export class EventParser {
  #rest = '';
  #id = '';
  #data: string[] = [];
  #isFirst = true;

  /** @returns the events that are complete now. */
  push(text: string): ServerSentEvent[] {
    let all = this.#rest + text;
    if (this.#isFirst && all !== '') {
      all = all.replace(/^\ufeff/, '');
      this.#isFirst = false;
    }
    // A carriage return may be the first half of a line's end.
    const held = all.endsWith('\r') ? '\r' : '';
    const lines = all.slice(0, all.length - held.length).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() as string) + held;
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) {
          events.push({ id: this.#id, data: this.#data.join('\n') });
          this.#data = [];
        }
      } else {
        this.#take(line);
      }
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') {
      this.#data.push(value);
    } else if (name === 'id' && !value.includes('\0')) {
      this.#id = value;
    }
  }
}

/**
 * @param body of a response; it is cancelled when the reader leaves early.
 * @param signal ends the events. That the request has it is not enough: Node's fetch follows it by weak
 *   references, which are gone once the collector has taken the response.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      yield* parser.push(decoder.decode(read.value, { stream: true }));
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await reader.cancel().catch(() => {});
  }
}
