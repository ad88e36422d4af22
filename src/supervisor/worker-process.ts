/** One worker, as its supervisor sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HatcheryError } from '../errors.js';
import type { PreparedFunction } from '../fabric/prepared.js';
import type { Told } from '../statistics/teller.js';
import type { View } from '../zerg/view.js';
import { ConnectionTable, tableBytes } from './connection-table.js';
import { HeldConnections, type Settled } from './held-connections.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import { workerEnvironment } from './lock-down.js';
import {
  type FromWorker,
  fromWire,
  isFromWorker,
  type OpenedDriver,
  type Started,
  type ToWorker,
  type WorkerSettings,
} from './messages.js';
import type { Observation, RequestOutcome } from './observations.js';
import { pack, piecesOf } from './packed.js';
import type { ProcessAddon } from './process-native.js';
import type { TracedServing } from './traced-requests.js';
import { WorkerCalls } from './worker-calls.js';

/** `worker.ts` and all that it imports, in few files: scripts/steps/worker-bundle.mjs. */
const ENTRY = fileURLToPath(new URL('./bundle/worker.mjs', import.meta.url));

/** How a worker came to its end. */
export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it was killed by the supervisor, if it was. */
  readonly reason: string | undefined;
  readonly connections: Settled;
}

export interface WorkerLimits {
  /** That it may have at a time. */
  readonly connections: number;
  /** How often its heart is looked at. */
  readonly checkMilliseconds: number;
  /** So many checks in a row that find no beat are its end. */
  readonly missedBeats: number;
  /** How long it may take until it can be given functions. */
  readonly readyMilliseconds: number;
}

/** What one question at a time is answered with. */
type Answer = 'ready' | 'staged' | 'committed' | 'discarded' | 'removed' | 'drained';
type AnswerOf<Type extends Answer> = Extract<FromWorker, { readonly type: Type }>;

/** Gets what a worker tells. */
type ObservedBy = (
  worker: WorkerProcess,
  observations: readonly Observation[],
  omitted: number,
) => void;

/** Finds a view of the Zerg page that another worker rendered. */
type FindView = (owner: string, id: string) => Promise<View | undefined>;

interface Expected {
  readonly type: Answer;
  resolve(message: FromWorker): void;
  reject(error: HatcheryError): void;
}

export class WorkerProcess {
  readonly startedAt = performance.now();
  /** Resolves when it is dead and its clients were told. */
  readonly ended: Promise<Death>;
  readonly #child: ChildProcess;
  readonly #table: ConnectionTable;
  readonly #connections: HeldConnections;
  readonly #limits: WorkerLimits;
  readonly #report: ObservedBy;
  readonly #findView: FindView;
  readonly #traced: TracedServing['report'];
  readonly #calls = new WorkerCalls((message) => this.#child.send(message));
  /** Functions on their way to it, one after the other. */
  #sent: Promise<unknown> = Promise.resolve();
  #expected: Expected | undefined;
  #watch: NodeJS.Timeout | undefined;
  #reason: string | undefined;
  #death: Death | undefined;

  /**
   * @param report gets what it tells of what it serves.
   * @param findView answers it.
   * @param traced gets the requests that it traced.
   */
  constructor(
    addon: ProcessAddon,
    limits: WorkerLimits,
    report: ObservedBy,
    findView: FindView,
    traced: TracedServing['report'],
  ) {
    this.#traced = traced;
    this.#limits = limits;
    this.#report = report;
    this.#findView = findView;
    const { descriptor, memory } = addon.createTable(tableBytes(limits.connections));
    this.#table = new ConnectionTable(memory);
    this.#connections = new HeldConnections(addon, this.#table);
    try {
      this.#child = fork(ENTRY, [], {
        cwd: '/',
        // In a session of its own it has no terminal into which it could type.
        detached: true,
        env: workerEnvironment(),
        execArgv: [],
        // What a worker says is not trusted: nothing but JSON is read of it.
        serialization: 'json',
        // Descriptor 4 is the table.
        stdio: ['ignore', 'ignore', 'inherit', 'ipc', descriptor],
      });
    } finally {
      closeSync(descriptor);
    }
    this.#child.on('message', (message, handle) => {
      if (handle !== undefined && handle !== null) {
        close(handle);
        this.kill('it sent a descriptor');
      } else if (isFromWorker(message)) {
        this.#receive(message);
      } else {
        this.kill('it sent what no worker sends');
      }
    });
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) =>
        resolve(this.#end(code, signal));
      this.#child.once('exit', end);
      this.#child.on('error', (error) => {
        // It could not be started, or not be sent something; only then there is no process.
        if (this.#child.pid === undefined) {
          this.#reason = error.message;
          end(null, null);
        }
      });
    });
  }

  get processId(): number {
    return this.#child.pid ?? -1;
  }

  get isAlive(): boolean {
    return this.#death === undefined;
  }

  /** Connections that it serves. */
  get connections(): number {
    return this.#connections.size;
  }

  get isFull(): boolean {
    return this.#connections.isFull;
  }

  /** @throws HatcheryError as opening the driver, and WORKER_DIED */
  async start(settings: WorkerSettings): Promise<OpenedDriver> {
    const { readyMilliseconds, checkMilliseconds } = this.#limits;
    const timer = setTimeout(
      () => this.kill(`it was not ready within ${readyMilliseconds} ms`),
      readyMilliseconds,
    );
    try {
      const answer = await this.#ask({ type: 'start', settings }, 'ready');
      this.#watchHeart(checkMilliseconds);
      return answer.driver;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws HatcheryError as Fabric.stage, and WORKER_DIED */
  async stage(prepared: PreparedFunction): Promise<void> {
    const staged = await this.#sending(async () => {
      await this.#sendPieces(prepared);
      return { answer: this.#ask({ type: 'stage', packed: pack(prepared) }, 'staged') };
    });
    await staged.answer;
  }

  /** @throws HatcheryError WORKER_DIED */
  async remove(name: string): Promise<void> {
    await this.#ask({ type: 'remove', name }, 'removed');
  }

  /** @throws HatcheryError as HostedInstances.spawn, and WORKER_DIED */
  async spawn({ id, of }: SpawnOrder): Promise<SpawnedBy> {
    const spawning = await this.#sending(async () => {
      if (typeof of === 'string') {
        return { answer: this.#calls.begin({ type: 'spawn', id, of }) };
      }
      await this.#sendPieces(of);
      return { answer: this.#calls.begin({ type: 'spawn', id, of: pack(of) }) };
    });
    return (await spawning.answer).spawned;
  }

  /** @throws HatcheryError as HostedInstances.request, and WORKER_DIED */
  async request(id: string, request: InstanceRequest): Promise<InstanceReply> {
    return (await this.#calls.begin({ type: 'request', id, request })).reply;
  }

  /** @throws HatcheryError as HostedInstances.requestFunction, and WORKER_DIED */
  async requestFunction(name: string, request: InstanceRequest): Promise<InstanceReply> {
    return (await this.#calls.begin({ type: 'request-function', name, request })).reply;
  }

  /** How a request ended, if it was served here lately. @throws HatcheryError WORKER_DIED */
  async findRequest(id: string): Promise<RequestOutcome | undefined> {
    return (await this.#calls.begin({ type: 'find', id })).outcome;
  }

  /** A view that it rendered, if it was one of the last. @throws HatcheryError WORKER_DIED */
  async view(id: string): Promise<View | undefined> {
    return (await this.#calls.begin({ type: 'view', id })).view;
  }

  /** What it has counted since it was asked last. @throws HatcheryError WORKER_DIED */
  async tell(): Promise<Told> {
    return (await this.#calls.begin({ type: 'tell' })).told;
  }

  /** @throws HatcheryError INSTANCE_GONE, WORKER_DIED */
  async killInstance(id: string): Promise<void> {
    await this.#calls.begin({ type: 'kill', id });
  }

  async #sendPieces(prepared: PreparedFunction): Promise<void> {
    for (const piece of piecesOf(prepared)) {
      await this.#tell({ type: 'piece', piece });
    }
  }

  /** Pieces of two functions must not mix. */
  #sending<Result>(send: () => Promise<Result>): Promise<Result> {
    const result = this.#sent.catch(() => {}).then(send);
    this.#sent = result;
    return result;
  }

  async commit(): Promise<Started> {
    return (await this.#ask({ type: 'commit' }, 'committed')).started;
  }

  async discard(): Promise<void> {
    await this.#ask({ type: 'discard' }, 'discarded');
  }

  /** Gives it a connection, which the supervisor holds until the worker has closed it. */
  give(socket: Socket): void {
    const slot = this.#connections.hold(socket);
    if (slot !== undefined) {
      this.#child.send({ type: 'connection', slot } satisfies ToWorker, socket, { keepOpen: true });
    }
  }

  /** Lets it answer what it has, and end. */
  async drain(): Promise<void> {
    if (this.isAlive && this.#child.connected) {
      this.#child.send({ type: 'drain' } satisfies ToWorker);
    }
    await this.ended;
  }

  /** @param reason for the log; `undefined`: as it should be. */
  kill(reason?: string): void {
    this.#reason ??= reason;
    this.#child.kill('SIGKILL');
  }

  /** Resolves when it has left this process. */
  #tell(message: ToWorker): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.send(message, (error) => {
        if (error === null) {
          resolve();
        } else {
          reject(new HatcheryError('WORKER_DIED', {}, { cause: error }));
        }
      });
    });
  }

  /** One question at a time. */
  #ask<Type extends Answer>(message: ToWorker, type: Type): Promise<AnswerOf<Type>> {
    return new Promise<FromWorker>((resolve, reject) => {
      if (!this.isAlive || !this.#child.connected) {
        reject(new HatcheryError('WORKER_DIED'));
        return;
      }
      this.#expected = { type, resolve, reject };
      this.#child.send(message);
    }) as Promise<AnswerOf<Type>>;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'closed':
        this.#connections.release(message.slot);
        return;
      case 'observed':
        this.#report(this, message.observations, message.omitted);
        return;
      case 'traced':
        this.#traced(message.requests, message.omitted);
        return;
      case 'seek':
        void this.#seek(message.seek, message.owner, message.id);
        return;
      case 'viewed':
      case 'spawned':
      case 'replied':
      case 'killed':
      case 'found':
      case 'told':
      case 'refused':
        this.#calls.settle(message);
        return;
    }
    const expected = this.#expected;
    if (message.type === 'failed') {
      this.#expected = undefined;
      expected?.reject(fromWire(message.error));
    } else if (message.type === expected?.type) {
      this.#expected = undefined;
      expected.resolve(message);
    }
  }

  async #seek(seek: number, owner: string, id: string): Promise<void> {
    const view = await this.#findView(owner, id);
    if (this.isAlive && this.#child.connected) {
      this.#child.send({ type: 'sought', seek, view } satisfies ToWorker);
    }
  }

  /** Checks are counted, not time: where all processes were stopped, none has hung. */
  #watchHeart(milliseconds: number): void {
    let before = -1;
    let missed = 0;
    this.#watch = setInterval(() => {
      const { heartbeats } = this.#table;
      missed = heartbeats === before ? missed + 1 : 0;
      before = heartbeats;
      if (missed >= this.#limits.missedBeats) {
        this.kill(`it has not moved for ${missed * milliseconds} ms`);
      }
    }, milliseconds);
  }

  #end(code: number | null, signal: NodeJS.Signals | null): Death {
    clearInterval(this.#watch);
    const connections = this.#connections.settle();
    this.#death = { code, signal, reason: this.#reason, connections };
    const expected = this.#expected;
    this.#expected = undefined;
    expected?.reject(new HatcheryError('WORKER_DIED'));
    this.#calls.close();
    return this.#death;
  }
}

function close(handle: { destroy?(): void; close?(): void }): void {
  if (handle.destroy !== undefined) {
    handle.destroy();
  } else {
    handle.close?.();
  }
}
