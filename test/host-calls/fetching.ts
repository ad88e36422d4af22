/** Servers, and a function that fetches from them. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { CallContext } from '../../src/fabric/host-calls/call-handler.js';
import {
  OutboundFetch,
  type OutboundFetchOptions,
} from '../../src/fabric/host-calls/outbound-fetch.js';
import type { ByteStream } from '../../src/fabric/message.js';

export const FOLLOW = 0;
export const ERROR = 1;
export const MANUAL = 2;

interface Asked {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: Uint8Array | string;
  readonly redirect?: number;
}

/** A payload as a guest writes it. */
export function fetchPayload(url: string, asked: Asked = {}): Buffer {
  const { method = 'GET', headers = [], body = '', redirect = FOLLOW } = asked;
  const head = Buffer.from([method, url, ...headers].map((text) => `${text}\0`).join(''), 'latin1');
  const header = Buffer.alloc(16);
  header.writeUInt32LE(head.length, 0);
  header.writeUInt32LE(Buffer.byteLength(body), 4);
  header.writeUInt32LE(redirect, 8);
  return Buffer.concat([header, head, Buffer.from(body as string)]);
}

export interface Answer {
  readonly status: number;
  readonly url: string;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  readonly body: ByteStream | undefined;
}

/** A completion as a guest reads it. */
export function readAnswer(payload: Uint8Array, body?: ByteStream): Answer {
  const bytes = Buffer.from(payload);
  if (bytes.length !== 16 + bytes.readUInt32LE(8) || bytes.readUInt32LE(12) !== 0) {
    throw new Error('the lengths of the completion are wrong');
  }
  if (bytes.readUInt32LE(4) !== (body === undefined ? 0 : 1)) {
    throw new Error('the flags of the completion are wrong');
  }
  const strings = bytes.toString('latin1', 16).split('\0');
  if (strings.pop() !== '' || strings.length % 2 !== 0) {
    throw new Error('the head of the completion is malformed');
  }
  const [url = '', reason = '', ...lines] = strings;
  const headers: Record<string, string> = {};
  for (let i = 0; i < lines.length; i += 2) {
    headers[lines[i] as string] = lines[i + 1] as string;
  }
  return { status: bytes.readUInt32LE(0), url, reason, headers, lines, body };
}

export const context = (signal: AbortSignal = new AbortController().signal): CallContext => ({
  signal,
  requestId: 'r1',
  traceparent: undefined,
  tracestate: undefined,
});

export const LIMITS = { hostCallMilliseconds: 3_000, maxHostCallBytes: 1 << 20 };

/** Closed with the test. */
export function outboundFetch(t: Test, options: Partial<OutboundFetchOptions>): OutboundFetch {
  const fetch = new OutboundFetch({
    functionName: 'f',
    allow: [],
    limits: LIMITS,
    logger: pino({ enabled: false }),
    ...options,
  });
  t.teardown(() => fetch.close());
  return fetch;
}

/** One fetch. */
export async function get(
  fetch: OutboundFetch,
  url: string,
  asked: Asked = {},
  signal?: AbortSignal,
): Promise<Answer> {
  const { payload, body } = await fetch.call(fetchPayload(url, asked), context(signal));
  return readAnswer(payload, body);
}

export async function bytesOf(body: ByteStream | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export const textOf = async ({ body }: Answer) => (await bytesOf(body)).toString();

async function listen(t: Test, server: Server | ReturnType<typeof createTcpServer>, host: string) {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) {
          server.closeAllConnections();
        }
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** An HTTP server on loopback, until the end of the test. @returns its port. */
export async function httpServer(t: Test, listener: RequestListener): Promise<number> {
  return listen(t, createServer(listener), '127.0.0.1');
}

/** A server that speaks what the test says. @returns its port. */
export async function tcpServer(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  const port = await listen(t, server, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  return port;
}

/** Until what is under way in the event loop is done: undici frees a connection a turn later. */
export const pause = (milliseconds = 10) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Waits until `condition` holds; fails after 3 s. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i += 1) {
    if (i > 300) {
      throw new Error(`it does not become true: ${condition}`);
    }
    await pause();
  }
}
