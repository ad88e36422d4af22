/** What a supervisor and its workers tell each other, over a channel that only they hold. */
import * as v from 'valibot';
import type { DriverName, Strategy } from '../drivers/driver.js';
import { ERRORS, type ErrorCode, type ErrorDetails, HatcheryError } from '../errors.js';
import type { Admission } from '../fabric/places.js';
import type { Sampling } from '../front/sampling.js';
import type { LogLevel } from '../logging.js';
import { areCounts } from '../statistics/counts.js';
import { MOST_TOLD, type Told } from '../statistics/teller.js';
import type { ColdPhases } from '../timeline.js';
import { STEPS, type View } from '../zerg/view.js';
import type { InstanceReply, InstanceRequest, SpawnedBy } from './instance-orders.js';
import {
  OBSERVATION,
  type Observation,
  OUTCOME,
  type RequestOutcome,
  USAGE,
} from './observations.js';
import type { PackedFunction, Piece } from './packed.js';
import { MOST_TRACED, TRACED_REQUEST, type TracedRequest } from './traced-requests.js';
import type { User } from './user.js';

/** What a worker is told first. */
export interface WorkerSettings {
  readonly driver: DriverName | 'auto';
  readonly admission: Partial<Admission>;
  readonly log: { readonly level: LogLevel; readonly json: boolean };
  /** Functions that it is given may fetch: it loads what that takes while it can. */
  readonly fetches: boolean;
  /** Whom it becomes; `undefined`: it stays who it is. */
  readonly user: User | undefined;
  readonly openFiles: number;
  /** The process that started it. */
  readonly supervisor: number;
  readonly front: {
    readonly trustProxy: readonly string[];
    readonly maxConnections: number;
    /** Requests go to the function that they name; else all to the first that is committed. */
    readonly byName: boolean;
    /** Answers `/` then. */
    readonly rootFunction: string | undefined;
  };
  /** It tells what happens. */
  readonly observed: boolean;
  /** It takes part in distributed traces; `undefined`: no. */
  readonly sampling: Sampling | undefined;
  /** It serves the Zerg page, and is called so in views; `undefined`: no. */
  readonly zerg: string | undefined;
}

/** What a worker says of a function that it has started. */
export interface Started {
  readonly name: string;
  readonly strategy: Strategy;
  readonly coldStart: ColdPhases;
}

/** The driver that a worker has opened. */
export interface OpenedDriver {
  readonly name: DriverName;
  /** What there is to say of it. */
  readonly detail: string | undefined;
}

export type ToWorker =
  | { readonly type: 'start'; readonly settings: WorkerSettings }
  /** Of the function that is staged next. */
  | { readonly type: 'piece'; readonly piece: Piece }
  /** To be started beside what answers now. */
  | { readonly type: 'stage'; readonly packed: PackedFunction }
  /** What was staged answers from now on. */
  | { readonly type: 'commit' }
  | { readonly type: 'discard' }
  | { readonly type: 'remove'; readonly name: string }
  /** Several may be under way; `call` names them. The pieces of a function of its own came before. */
  | {
      readonly type: 'spawn';
      readonly call: number;
      readonly id: string;
      readonly of: string | PackedFunction;
    }
  | {
      readonly type: 'request';
      readonly call: number;
      readonly id: string;
      readonly request: InstanceRequest;
    }
  | {
      readonly type: 'request-function';
      readonly call: number;
      readonly name: string;
      readonly request: InstanceRequest;
    }
  | { readonly type: 'kill'; readonly call: number; readonly id: string }
  /** Which was the outcome of that request? */
  | { readonly type: 'find'; readonly call: number; readonly id: string }
  /** Which view of the Zerg page, that it rendered, is that? */
  | { readonly type: 'view'; readonly call: number; readonly id: string }
  /** What was counted since that was asked last? */
  | { readonly type: 'tell'; readonly call: number }
  /** Answers `seek`. */
  | { readonly type: 'sought'; readonly seek: number; readonly view?: View | undefined }
  /** Comes with a socket. */
  | { readonly type: 'connection'; readonly slot: number }
  | { readonly type: 'drain' };

export type FromWorker =
  /** Locked down: it may be given functions. */
  | { readonly type: 'ready'; readonly driver: OpenedDriver }
  | { readonly type: 'staged' }
  | { readonly type: 'committed'; readonly started: Started }
  | { readonly type: 'discarded' }
  | { readonly type: 'removed' }
  | { readonly type: 'spawned'; readonly call: number; readonly spawned: SpawnedBy }
  | { readonly type: 'replied'; readonly call: number; readonly reply: InstanceReply }
  | { readonly type: 'killed'; readonly call: number }
  | { readonly type: 'found'; readonly call: number; readonly outcome?: RequestOutcome | undefined }
  | { readonly type: 'viewed'; readonly call: number; readonly view?: View | undefined }
  | { readonly type: 'told'; readonly call: number; readonly told: Told }
  /** Asks for a view that another worker rendered. */
  | { readonly type: 'seek'; readonly seek: number; readonly owner: string; readonly id: string }
  /** A call failed. */
  | { readonly type: 'refused'; readonly call: number; readonly error: WiredError }
  | {
      readonly type: 'observed';
      readonly observations: readonly Observation[];
      readonly omitted: number;
    }
  | {
      readonly type: 'traced';
      readonly requests: readonly TracedRequest[];
      readonly omitted: number;
    }
  | { readonly type: 'failed'; readonly error: WiredError }
  /** The worker no longer holds that connection. */
  | { readonly type: 'closed'; readonly slot: number }
  /** Everything is answered: the worker ends. */
  | { readonly type: 'drained' };

const TEXT = v.string();
const OPTIONAL_NUMBER = v.optional(v.number());

const STRATEGY = v.picklist(['boot', 'clone', 'pool', 'reset']);
const COLD_START = v.object({
  load: OPTIONAL_NUMBER,
  create: OPTIONAL_NUMBER,
  boot: OPTIONAL_NUMBER,
  init: OPTIONAL_NUMBER,
});
const VIEW = v.object({
  id: TEXT,
  strategy: STRATEGY,
  steps: v.partial(v.object(v.entriesFromList(STEPS, v.number()))),
  total: OPTIONAL_NUMBER,
  isComplete: v.boolean(),
});
const AMOUNT = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const TOLD = v.object({
  rows: v.pipe(
    v.array(v.object({ name: v.optional(TEXT), counts: v.custom<readonly number[]>(areCounts) })),
    v.maxLength(MOST_TOLD),
  ),
  pools: v.pipe(
    v.array(v.object({ name: TEXT, running: AMOUNT, ready: AMOUNT, waiting: AMOUNT })),
    v.maxLength(MOST_TOLD),
  ),
  load: v.object({
    waiting: AMOUNT,
    queueLimit: AMOUNT,
    running: AMOUNT,
    limit: AMOUNT,
    spawned: AMOUNT,
  }),
  hasMore: v.boolean(),
});
const ERROR = v.object({
  code: v.picklist(Object.keys(ERRORS)),
  details: v.record(TEXT, v.union([TEXT, v.number(), v.boolean(), v.null()])),
  causes: v.array(TEXT),
});

const FROM_WORKER = v.variant('type', [
  v.object({
    type: v.literal('ready'),
    driver: v.object({ name: v.picklist(['kvm', 'process']), detail: v.optional(TEXT) }),
  }),
  v.object({ type: v.picklist(['staged', 'discarded', 'removed', 'drained']) }),
  v.object({
    type: v.literal('committed'),
    started: v.object({ name: TEXT, strategy: STRATEGY, coldStart: COLD_START }),
  }),
  v.object({ type: v.literal('failed'), error: ERROR }),
  v.object({
    type: v.literal('spawned'),
    call: v.number(),
    spawned: v.object({ strategy: STRATEGY, coldStart: COLD_START }),
  }),
  v.object({
    type: v.literal('replied'),
    call: v.number(),
    reply: v.object({
      requestId: TEXT,
      status: v.number(),
      headers: v.array(TEXT),
      body: TEXT,
      timeline: v.record(TEXT, v.number()),
      usage: v.optional(USAGE),
    }),
  }),
  v.object({ type: v.literal('killed'), call: v.number() }),
  v.object({ type: v.literal('found'), call: v.number(), outcome: v.optional(OUTCOME) }),
  v.object({ type: v.literal('viewed'), call: v.number(), view: v.optional(VIEW) }),
  v.object({ type: v.literal('told'), call: v.number(), told: TOLD }),
  v.object({ type: v.literal('seek'), seek: v.number(), owner: TEXT, id: TEXT }),
  v.object({ type: v.literal('refused'), call: v.number(), error: ERROR }),
  v.object({
    type: v.literal('observed'),
    observations: v.array(OBSERVATION),
    omitted: v.number(),
  }),
  v.object({
    type: v.literal('traced'),
    requests: v.pipe(v.array(TRACED_REQUEST), v.maxLength(MOST_TRACED)),
    omitted: v.number(),
  }),
  v.object({ type: v.literal('closed'), slot: v.number() }),
]);

/** A worker that a guest has broken out into may say anything. */
export function isFromWorker(message: unknown): message is FromWorker {
  const known = message as FromWorker;
  // By far the most frequent, and the simplest.
  return known?.type === 'closed' ? Number.isInteger(known.slot) : v.is(FROM_WORKER, message);
}

/** A HatcheryError as plain data. */
export interface WiredError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** Messages of its causes, the nearest first. */
  readonly causes: readonly string[];
}

export function toWire(error: unknown): WiredError {
  const known = HatcheryError.from(error);
  const causes: string[] = [];
  for (let cause = known.cause; cause instanceof Error; cause = cause.cause) {
    causes.push(cause.message);
  }
  return { code: known.code, details: plain(known.details), causes };
}

export function fromWire({ code, details, causes }: WiredError): HatcheryError {
  let cause: Error | undefined;
  for (const message of [...causes].reverse()) {
    cause = new Error(message, cause === undefined ? undefined : { cause });
  }
  return new HatcheryError(code, details, cause === undefined ? {} : { cause });
}

/** Details are for messages: what is no plain value, its text is enough of. */
function plain(details: ErrorDetails): ErrorDetails {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const isPlain = ['string', 'number', 'boolean'].includes(typeof value) || value === null;
      return [name, isPlain ? value : (JSON.stringify(value) ?? String(value))];
    }),
  );
}
