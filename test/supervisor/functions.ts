/** A function for the tests of workers, and a client that sees what comes over a connection. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { BaseLogger } from 'pino';
import { pino } from 'pino';
import { Supervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.js';

/** `/wait?ms=` answers late, `/stream?ms=` begins at once and ends late, else the text. */
export function slowly(text: string): string {
  return `
    export default {
      async fetch(request) {
        const url = new URL(request.url);
        const ms = Number(url.searchParams.get('ms') ?? 0);
        if (url.pathname === '/wait') {
          await new Promise((resolve) => setTimeout(resolve, ms));
        }
        if (url.pathname === '/stream') {
          const encoder = new TextEncoder();
          return new Response(new ReadableStream({
            async start(controller) {
              controller.enqueue(encoder.encode('begun '));
              await new Promise((resolve) => setTimeout(resolve, ms));
              controller.enqueue(encoder.encode('ended'));
              controller.close();
            },
          }));
        }
        return new Response(${JSON.stringify(text)});
      },
    };`;
}

export interface Line {
  readonly msg: string;
  readonly [name: string]: unknown;
}

/** A logger, and the lines that it got. */
export function collectLines(): { readonly logger: BaseLogger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const logger = pino({ level: 'trace' }, { write: (text) => lines.push(JSON.parse(text)) });
  return { logger, lines };
}

export interface Started {
  readonly supervisor: Supervisor;
  readonly url: string;
  readonly lines: Line[];
}

/** A supervisor that serves `slowly(text)`. */
export async function startSupervisor(
  text: string,
  options: Partial<SupervisorOptions> = {},
): Promise<Started> {
  const { logger, lines } = collectLines();
  const supervisor = new Supervisor({
    workers: 2,
    driver: 'auto',
    log: { level: 'silent', json: true },
    logger,
    ...options,
  });
  await supervisor.start();
  await supervisor.deploy({ name: 'app', source: slowly(text) });
  return { supervisor, url: await supervisor.listen('127.0.0.1', 0), lines };
}

/** A connection on which one sees everything that comes. */
export class Wire {
  received = '';
  readonly ended: Promise<'end' | 'reset'>;
  readonly #socket: Socket;
  #onData = () => {};

  constructor(url: string) {
    this.#socket = connect(Number(new URL(url).port), '127.0.0.1');
    this.#socket.on('data', (chunk) => {
      this.received += chunk;
      this.#onData();
    });
    this.ended = new Promise((resolve) => {
      this.#socket.once('end', () => resolve('end'));
      this.#socket.once('error', () => resolve('reset'));
    });
  }

  async open(): Promise<this> {
    await once(this.#socket, 'connect');
    return this;
  }

  send(path: string): this {
    this.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return this;
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  async sees(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#onData = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** One that has ended and that nobody has asked about is not alive. */
export function isAlive(processId: number): boolean {
  try {
    const state = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ')[1]?.[0];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

/** Polls until it holds. */
export async function until(holds: () => boolean, milliseconds = 5_000): Promise<number> {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > milliseconds) {
      throw new Error(`not within ${milliseconds} ms: ${holds}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - start;
}
