/**
 * Modules are loaded when they are first needed, some of them late. A worker that cannot read files any
 * more has to have them before: so it serves a request of its own, of which nothing reaches a network.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { DEFAULT_LIMITS } from '../fabric/limits.js';
import { type FrontOptions, openFront } from '../front/front.js';
import type { Timeline } from '../timeline.js';

const REQUEST =
  'POST / HTTP/1.1\r\nHost: rehearsal\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx';
const STATUS_LINE = 'HTTP/1.1 200 OK\r\n';

/** What a client sends at once, and what it gets. */
class Client extends Duplex {
  answer = '';

  override _read(): void {
    this.push(REQUEST);
    // Once; what follows is the end of the connection, which is the server's to say.
    this._read = () => {};
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.answer += chunk.toString('latin1');
    done();
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }
}

/** @throws Error where that request is not answered */
export async function rehearse(options: Omit<FrontOptions, 'functionName'>): Promise<void> {
  const answering = {
    limits: DEFAULT_LIMITS,
    handle: async (_: unknown, timeline: Timeline) => ({
      status: 200,
      headers: ['content-type', 'text/plain'],
      body: Buffer.from('x'),
      timeline,
    }),
  };
  const front = await openFront({ function: () => answering }, { ...options, functionName: 'any' });
  const client = new Client();
  front.accept(client as unknown as Socket);
  await once(client, 'finish');
  await front.close();
  if (!client.answer.startsWith(STATUS_LINE)) {
    throw new Error(`a rehearsed request was answered with ${JSON.stringify(client.answer)}`);
  }
}
