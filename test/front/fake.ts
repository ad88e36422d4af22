/** A front over a function that is none: it runs in this process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LIMITS, type Limits } from '../../src/fabric/limits.js';
import type { ByteStream, FunctionRequest, Reply } from '../../src/fabric/message.js';
import { type Front, type FrontOptions, startFront } from '../../src/front/front.js';
import { Timeline } from '../../src/timeline.js';

export type Handler = (request: FunctionRequest, timeline: Timeline) => Reply | Promise<Reply>;

export interface FakeOptions extends Omit<FrontOptions, 'functionName'> {
  readonly limits?: Partial<Limits>;
}

/** Serves `handle` for as long as `use` takes. */
export async function withFake(
  handle: Handler,
  use: (front: Front) => Promise<void>,
  { limits, ...options }: FakeOptions = {},
): Promise<void> {
  const fn = { limits: { ...DEFAULT_LIMITS, ...limits }, handle };
  const front = await startFront({ function: () => fn }, { functionName: 'f', ...options });
  try {
    await use(front);
  } finally {
    await front.drain(0);
  }
}

/** @param headers name and value in turn. */
export function replyWith(
  body: Buffer | ByteStream | string,
  headers: readonly string[] = [],
  status = 200,
): Reply {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { status, headers, body: bytes, timeline: new Timeline() };
}

/** All of a request's body. */
export async function bodyOf({ body, rest }: FunctionRequest): Promise<Buffer> {
  const chunks = body === undefined ? [] : [body];
  for await (const chunk of rest ?? []) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Answers with what it was asked, as JSON. */
export async function echo(request: FunctionRequest): Promise<Reply> {
  const { method, url, headers, rest } = request;
  const body = (await bodyOf(request)).toString('latin1');
  const isStreamed = rest !== undefined;
  return replyWith(JSON.stringify({ method, url, headers: pairs(headers), body, isStreamed }));
}

export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: string;
  readonly isStreamed: boolean;
}

export function pairs(headers: readonly string[]): [string, string][] {
  const all: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    all.push([headers[i] as string, headers[i + 1] as string]);
  }
  return all;
}

/** Waits for something that happens soon, however busy the machine is. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await sleep(5);
  }
}
