/** Host calls in flight. */

import { host } from './host.js';
import { leaveSomething, onRequest } from './serving.js';

/** The engine's own: the program may put another in its place. */
const EnginePromise = Promise;

/** Why the host did not do what it was asked for. */
export class CallFailure {
  readonly name: string;
  readonly message: string;
  /** One of the host's error codes, or the code of what a binding threw. */
  readonly code: string | undefined;

  /** @param report JSON of the three, as UTF-8 */
  constructor(report: Uint8Array) {
    const { name, message, code } = JSON.parse(new TextDecoder().decode(report));
    this.name = String(name);
    this.message = String(message);
    this.code = code === undefined ? undefined : String(code);
  }
}

export interface Call {
  readonly id: number;
  /** The completion's payload; rejected with a CallFailure, or with what `abort` gives. */
  readonly answer: Promise<Uint8Array>;
}

interface Waiting {
  resolve(payload: Uint8Array): void;
  reject(reason: unknown): void;
}

const inFlight = new Map<number, Waiting>();
/** Those that come when as many are in flight as the host takes at a time; the oldest goes first. */
const queued = new Map<number, { readonly waiting: Waiting; start(id: number): void }>();
let mostInFlight = Number.POSITIVE_INFINITY;
/** Ids are never used again, so that a late completion finds nobody. */
let lastId = 0;
/** Calls up to here belong to requests that are over. */
let lastIdBefore = 0;

/** More calls than so many at a time would end the instance. */
export function limitCallsInFlight(most: number): void {
  mostInFlight = most;
}

onRequest(() => {
  inFlight.clear();
  queued.clear();
  lastIdBefore = lastId;
});

/** @param start hands the call to the host, now or when there is room for it */
export function startCall(start: (id: number) => void): Call {
  lastId += 1;
  const { promise, resolve, reject } = EnginePromise.withResolvers<Uint8Array>();
  leaveSomething();
  if (inFlight.size < mostInFlight) {
    start(lastId);
    inFlight.set(lastId, { resolve, reject });
  } else {
    queued.set(lastId, { waiting: { resolve, reject }, start });
  }
  return { id: lastId, answer: promise };
}

function startQueued(): void {
  for (const [id, { waiting, start }] of queued) {
    if (inFlight.size >= mostInFlight) return;
    queued.delete(id);
    inFlight.set(id, waiting);
    start(id);
  }
}

export function hasCalls(): boolean {
  return inFlight.size > 0;
}

/** Whether the request that made the call is being served. */
export function isCurrent(id: number): boolean {
  return id > lastIdBefore;
}

/** Tells the host to forget the call and, if it was a fetch, its body; who waits gets the reason. */
export function abortCall(id: number, reason: unknown): void {
  if (!isCurrent(id)) return;
  const unsent = queued.get(id);
  if (unsent !== undefined) {
    queued.delete(id);
    unsent.waiting.reject(reason);
    return;
  }
  const waiting = inFlight.get(id);
  inFlight.delete(id);
  lastId += 1;
  host.cancel(lastId, id);
  waiting?.reject(reason);
  startQueued();
}

/** Hands over what the host has just completed. */
export function deliver(id: number): void {
  const payload = host.completionPayload();
  const waiting = inFlight.get(id);
  inFlight.delete(id);
  if (host.completionFailed()) waiting?.reject(new CallFailure(payload));
  else waiting?.resolve(payload);
  startQueued();
}
