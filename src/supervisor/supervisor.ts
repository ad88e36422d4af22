/** Starts worker processes, gives them functions and connections, and replaces those that die. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../errors.js';
import { defaultAdmission } from '../fabric/default-admission.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import type { Admission } from '../fabric/places.js';
import { type PreparedFunction, prepareFunction } from '../fabric/prepared.js';
import { MAX_CONNECTIONS } from '../front/listening.js';
import { Images } from '../image/images.js';
import { Gathering } from '../statistics/gathering.js';
import type { Reading } from '../statistics/reading.js';
import type { View } from '../zerg/view.js';
import { Backoff } from './backoff.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import { Listener } from './listener.js';
import type { OpenedDriver, Started, WorkerSettings } from './messages.js';
import type { Report, RequestOutcome } from './observations.js';
import { loadProcessAddon, type ProcessAddon } from './process-native.js';
import { drainingResponse } from './raw-response.js';
import type { TracedServing } from './traced-requests.js';
import { workerUser } from './user.js';
import { WorkerInstances } from './worker-instances.js';
import { type Death, type WorkerLimits, WorkerProcess } from './worker-process.js';

export interface SupervisorOptions {
  readonly workers: number;
  readonly driver: WorkerSettings['driver'];
  readonly log: WorkerSettings['log'];
  /** Gets what happens to workers. */
  readonly logger: BaseLogger;
  /** Whether functions with `allowFetch` will be deployed. Default: no. */
  readonly fetches?: boolean;
  /** A user's name or number; see {@link workerUser}. */
  readonly workerUser?: string | undefined;
  /** For all workers together. */
  readonly admission?: Partial<Admission>;
  readonly trustProxy?: readonly string[];
  /** Connections at a time, of all workers together. Default: 10,000. */
  readonly maxConnections?: number;
  readonly limits?: Partial<WorkerLimits>;
  /** Requests go to the function that they name; else all to the first that is deployed. Default: no. */
  readonly byName?: boolean;
  /** Where requests go by name: the function that answers `/`. Default: none. */
  readonly rootFunction?: string | undefined;
  /** Is told what happens. Default: nobody. */
  readonly report?: Report | undefined;
  /** Takes part in distributed traces. Default: what comes of one is passed on as it is. */
  readonly tracing?: TracedServing | undefined;
  /** The Zerg page is served, where it is deployed. Default: no. */
  readonly zerg?: boolean;
}

/** A function as all workers serve it. */
export interface Deployed extends Started {
  /** Absolute paths of the files that went in. */
  readonly inputs: readonly string[];
}

/** Descriptors that a worker needs besides those of its connections: for machines and fetches. */
const MORE_DESCRIPTORS = 65_536;
const LIMITS: Omit<WorkerLimits, 'connections'> = {
  checkMilliseconds: 1_000,
  missedBeats: 5,
  readyMilliseconds: 15_000,
};

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #addon: ProcessAddon;
  readonly #settings: WorkerSettings;
  readonly #admission: Admission;
  readonly #workers: number;
  readonly #images = new Images();
  readonly #backoff = new Backoff();
  readonly #gathering = new Gathering();
  /** Workers that serve the current functions. */
  readonly #serving = new Set<WorkerProcess>();
  readonly #all = new Set<WorkerProcess>();
  /** Those that serve, as views of the Zerg page call them. */
  readonly #byName = new Map<string, WorkerProcess>();
  /** Connections that wait for a worker. */
  readonly #waiting = new Set<Socket>();
  readonly #ending = new AbortController();
  /** What each function is at present, for workers that come later. */
  readonly #functions = new Map<string, PreparedFunction>();
  readonly #instances: WorkerInstances;
  /** Deployments, and workers that join: one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #listener: Listener | undefined;
  #draining: Promise<void> | undefined;

  /** @throws HatcheryError ADDON_MISSING, INVALID_ARGUMENT */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#addon = loadProcessAddon();
    if (this.#addon.walls().landlock === 0) {
      options.logger.warn('the kernel has no Landlock: workers can read all that their user can');
    }
    const { driver, log, trustProxy = [], fetches = false, rootFunction } = options;
    const maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    this.#admission = { ...defaultAdmission(), ...options.admission };
    // One without a place for an instance would be of no use.
    this.#workers = Math.min(options.workers, this.#admission.concurrency);
    this.#settings = {
      driver,
      log,
      fetches,
      admission: this.#admission,
      user: workerUser(options.workerUser),
      openFiles: maxConnections + MORE_DESCRIPTORS,
      supervisor: process.pid,
      front: { trustProxy, maxConnections, byName: options.byName ?? false, rootFunction },
      observed: options.report !== undefined,
      sampling: options.tracing?.sampling,
      zerg: undefined,
    };
    this.#instances = new WorkerInstances(options.report ?? (() => {}));
    if (options.report !== undefined) {
      this.#gathering.begin();
    }
  }

  /** The process ids of the workers that serve. */
  get workers(): readonly number[] {
    return [...this.#serving].map((worker) => worker.processId);
  }

  /**
   * Starts all workers.
   * @returns the driver that they use
   * @throws HatcheryError of the first that cannot be started
   */
  async start(): Promise<OpenedDriver> {
    const workers = Array.from({ length: this.#workers }, () => this.#create());
    const opened = await Promise.all(
      workers.map((worker, index) => worker.start(this.#settingsOf(index))),
    );
    for (const [index, worker] of workers.entries()) {
      this.#serve(worker, index);
    }
    return opened[0] as OpenedDriver;
  }

  /**
   * Deploys a function in all workers: the version before it answers until this one has been started
   * in every worker, and goes on answering where one of them fails.
   * @throws HatcheryError as `Fabric.deploy`, and WORKER_DIED
   */
  async deploy(definition: FunctionDefinition): Promise<Deployed> {
    const prepared = await prepareFunction(definition, this.#images);
    return this.deployPrepared(prepared);
  }

  /**
   * The same for one that was prepared elsewhere.
   * @param beforeCommit is awaited when all workers have started it; where it fails, they go on with
   *   the version before.
   */
  deployPrepared(
    prepared: PreparedFunction,
    beforeCommit: () => Promise<void> = async () => {},
  ): Promise<Deployed> {
    return this.#inTurn(() => this.#deploy(prepared, beforeCommit));
  }

  /** Takes a function away in all workers; requests under way finish. */
  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#functions.delete(name);
      // One that died has lost it, too.
      await Promise.allSettled([...this.#serving].map((worker) => worker.remove(name)));
      this.#gathering.forget(name);
    });
  }

  /** @throws HatcheryError as `HostedInstances.spawn`, and WORKER_DIED */
  spawn(order: SpawnOrder): Promise<SpawnedBy> {
    return this.#instances.spawn(order, this.#serving);
  }

  /** @throws HatcheryError as `HostedInstances.request`, and WORKER_DIED */
  request(instance: string, request: InstanceRequest): Promise<InstanceReply> {
    return this.#instances.request(instance, request);
  }

  /**
   * The worker with the fewest connections gets it.
   * @throws HatcheryError as `HostedInstances.requestFunction`, and WORKER_DIED
   */
  async requestFunction(name: string, request: InstanceRequest): Promise<InstanceReply> {
    const worker = leastBusy(this.#serving);
    if (worker === undefined) {
      throw new HatcheryError('WORKER_DIED');
    }
    return worker.requestFunction(name, request);
  }

  /** Ends a spawned instance. @throws HatcheryError INSTANCE_GONE */
  kill(instance: string): Promise<void> {
    return this.#instances.kill(instance);
  }

  /** How a request ended, if that was not long ago, and not in a worker that died. */
  async findRequest(id: string): Promise<RequestOutcome | undefined> {
    const asked = [...this.#serving].map((worker) => worker.findRequest(id));
    const found = (await Promise.allSettled(asked)).map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : undefined,
    );
    return found.find((outcome) => outcome !== undefined);
  }

  /** What all workers have counted, also those that died, and how full they are. */
  statistics(): Promise<Reading> {
    return this.#gathering.read();
  }

  /**
   * Listens; where requests do not go by name, once a function is deployed.
   * @returns where, as `http://host:port`
   * @throws HatcheryError PORT_IN_USE, and what else the system says
   */
  async listen(host: string, port: number): Promise<string> {
    const { maxConnections } = this.#settings.front;
    this.#listener = await Listener.open({ host, port, maxConnections }, (socket) =>
      this.#accept(socket),
    );
    return this.#listener.url;
  }

  /** Lets requests in flight finish, while new ones get DRAINING; then ends all workers. */
  close(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  #create(): WorkerProcess {
    const { maxConnections: connections } = this.#settings.front;
    const limits = { ...LIMITS, connections, ...this.#options.limits };
    const worker = new WorkerProcess(
      this.#addon,
      limits,
      (from, observations, omitted) => this.#instances.observe(from, observations, omitted),
      (owner, id) => this.#findView(owner, id),
      (requests, omitted) => this.#options.tracing?.report(requests, omitted),
    );
    this.#all.add(worker);
    worker.ended.then(() => this.#all.delete(worker));
    return worker;
  }

  #settingsOf(index: number): WorkerSettings {
    const zerg = this.#options.zerg === true ? String(index) : undefined;
    return { ...this.#settings, admission: shareOf(this.#admission, index, this.#workers), zerg };
  }

  #serve(worker: WorkerProcess, index: number): void {
    this.#serving.add(worker);
    this.#byName.set(String(index), worker);
    this.#gathering.join(worker, String(index));
    this.#replaceWhenDead(worker, index);
  }

  /** One that died has taken its views along. */
  async #findView(owner: string, id: string): Promise<View | undefined> {
    try {
      return await this.#byName.get(owner)?.view(id);
    } catch {
      return undefined;
    }
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  async #deploy(prepared: PreparedFunction, beforeCommit: () => Promise<void>): Promise<Deployed> {
    const workers = [...this.#serving];
    if (workers.length === 0) {
      throw new HatcheryError('WORKER_DIED');
    }
    const staged = await Promise.allSettled(workers.map((worker) => worker.stage(prepared)));
    try {
      const failure = staged.find((result) => result.status === 'rejected');
      if (failure !== undefined) {
        throw failure.reason;
      }
      await beforeCommit();
    } catch (error) {
      await Promise.allSettled(workers.map((worker) => worker.discard()));
      throw error;
    }
    // From here on it is this version that a worker gets which comes later.
    this.#functions.set(prepared.definition.name, prepared);
    this.#gathering.keep(prepared.definition.name);
    const committed = await Promise.allSettled(workers.map((worker) => worker.commit()));
    const first = committed.find((result) => result.status === 'fulfilled');
    if (first === undefined) {
      throw (committed[0] as PromiseRejectedResult).reason;
    }
    return { ...first.value, inputs: prepared.bundle?.inputs ?? [] };
  }

  async #replaceWhenDead(worker: WorkerProcess, index: number): Promise<void> {
    const death = await worker.ended;
    this.#serving.delete(worker);
    this.#gathering.leave(worker);
    this.#instances.forget(worker);
    if (this.#isEnding) {
      this.#goOn(death.connections.untouched);
      return;
    }
    const lived = performance.now() - worker.startedAt;
    const pause = this.#backoff.next(lived);
    this.#report(worker, death, pause);
    this.#goOn(death.connections.untouched);
    await this.#replace(index, pause);
  }

  /** Tries until there is one, or the server ends. */
  async #replace(index: number, pause: number): Promise<void> {
    for (let wait = pause; ; ) {
      await sleep(wait, undefined, { signal: this.#ending.signal }).catch(() => {});
      if (this.#isEnding) {
        return;
      }
      const worker = this.#create();
      try {
        await worker.start(this.#settingsOf(index));
        await this.#inTurn(() => this.#join(worker, index));
        this.#gathering.noteRestart();
        const milliseconds = performance.now() - worker.startedAt;
        const took = Math.round(milliseconds);
        this.#options.logger.info({ worker: worker.processId, took }, 'a worker was replaced');
        return;
      } catch (error) {
        worker.kill();
        await worker.ended;
        if (this.#isEnding) {
          return;
        }
        wait = this.#backoff.next(performance.now() - worker.startedAt);
        this.#options.logger.error(
          { err: HatcheryError.from(error), inARow: this.#backoff.inARow, retryIn: wait },
          'a worker cannot be replaced; this will be tried again',
        );
      }
    }
  }

  /** Gives a new worker all functions; then it serves. */
  async #join(worker: WorkerProcess, index: number): Promise<void> {
    for (const prepared of this.#functions.values()) {
      await worker.stage(prepared);
      await worker.commit();
    }
    this.#serve(worker, index);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#goOn(waiting);
  }

  #report(worker: WorkerProcess, death: Death, retryIn: number): void {
    const { code, signal, reason, connections } = death;
    const { failed, cut } = connections;
    const inARow = this.#backoff.inARow;
    this.#options.logger.error(
      {
        error: 'WORKER_DIED',
        worker: worker.processId,
        code,
        signal,
        reason,
        failed,
        cut,
        inARow,
        retryIn,
      },
      inARow > 1
        ? 'a worker died again soon after its start; it will be replaced, but not at once'
        : 'a worker died; it is replaced',
    );
  }

  #goOn(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      this.#accept(socket);
    }
  }

  /** The worker with the fewest connections gets it. */
  #accept(socket: Socket): void {
    const least = leastBusy([...this.#serving].filter((worker) => !worker.isFull));
    if (least !== undefined) {
      least.give(socket);
    } else if (this.#isEnding || this.#serving.size > 0) {
      socket.end(drainingResponse());
      socket.resume();
    } else {
      this.#waiting.add(socket);
      socket.once('close', () => this.#waiting.delete(socket));
    }
  }

  async #drain(): Promise<void> {
    this.#ending.abort();
    for (const worker of this.#all) {
      if (!this.#serving.has(worker)) {
        worker.kill();
      }
    }
    this.#goOn([...this.#waiting]);
    await Promise.all([...this.#all].map((worker) => worker.drain()));
    this.#listener?.close();
    this.#gathering.close();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.catch(() => {}).then(work);
    this.#turn = result;
    return result;
  }
}

/** The one with the fewest connections. */
function leastBusy(workers: Iterable<WorkerProcess>): WorkerProcess | undefined {
  let least: WorkerProcess | undefined;
  for (const worker of workers) {
    if (least === undefined || worker.connections < least.connections) {
      least = worker;
    }
  }
  return least;
}

/**
 * What is said for a whole server, as one of its workers gets it: together they have exactly that.
 * @param index of the worker, from 0
 */
export function shareOf(whole: Admission, index: number, workers: number): Admission {
  const share = (count: number) => Math.floor(count / workers) + (index < count % workers ? 1 : 0);
  return {
    ...whole,
    concurrency: share(whole.concurrency),
    queue: share(whole.queue),
    instances: share(whole.instances),
  };
}
