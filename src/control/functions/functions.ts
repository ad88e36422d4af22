/** The functions of a server: deployed, kept, rolled back, removed. */
import type { BaseLogger } from 'pino';
import type { BodyOf, ResponseOf } from '../../api/operation.js';
import type { Operations } from '../../api/operations.js';
import { HatcheryError } from '../../errors.js';
import type { Images } from '../../image/images.js';
import type { DeployedBy, Serving } from '../../supervisor/serving.js';
import type { Bundling } from '../bundling/bundling.js';
import type { FunctionStore, OpenedVersion } from '../data/function-store.js';
import { needing } from '../data/image-uses.js';
import type { EventLog } from '../events/event-log.js';
import type { LogStore } from '../logs/log-store.js';
import { replyBody, requestOf } from '../requests.js';
import {
  bundleOrderOf,
  type DeployBody,
  isSameVersion,
  prepareVersion,
  scriptOf,
  settingsOf,
} from './definitions.js';

type Facts = ResponseOf<Operations['getFunction']>;
type RequestBody = BodyOf<Operations['requestFunction']>;
type RequestReply = ResponseOf<Operations['requestFunction']>;
type Deployed = ResponseOf<Operations['deployFunction']>;

export interface FunctionsOptions {
  readonly store: FunctionStore;
  /** The data folder that the store is in. */
  readonly data: string;
  readonly serving: Serving;
  readonly bundling: Bundling;
  readonly images: Images;
  readonly events: EventLog;
  readonly logs: LogStore;
  readonly logger: BaseLogger;
}

export class Functions {
  readonly #options: FunctionsOptions;
  /** Why those do not answer that are kept and could not be started. */
  readonly #failed = new Map<string, string>();
  /** By which each gets its virtual machines. */
  readonly #strategies = new Map<string, DeployedBy['strategy']>();
  /** What changes a function: one after the other, by name. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Nowhere, until that is known. */
  #front = '';

  constructor(options: FunctionsOptions) {
    this.#options = options;
  }

  /** @param front where functions are reached, as `http://host:port`. */
  reachedAt(front: string): void {
    this.#front = front;
  }

  /** Starts all that are kept. One that cannot be started keeps no other from answering. */
  async restore(): Promise<void> {
    const { store, data, serving, images, logs, logger } = this.#options;
    for (const { name } of store.list()) {
      logs.keep(name);
      try {
        const version = await store.read(name);
        const { image } = version.settings;
        const prepared = await needing(image, data, () => prepareVersion(name, version, images));
        this.#strategies.set(name, (await serving.deployPrepared(prepared)).strategy);
      } catch (error) {
        const known = HatcheryError.from(error);
        this.#failed.set(name, known.message);
        logger.error({ function: name, code: known.code, err: known }, 'it cannot be started');
      }
    }
  }

  /** Kept functions that do not answer. */
  get failed(): readonly string[] {
    return [...this.#failed.keys()];
  }

  /** By which a function gets its virtual machines; `undefined` where it does not answer. */
  strategyOf(name: string): DeployedBy['strategy'] | undefined {
    return this.#failed.has(name) ? undefined : this.#strategies.get(name);
  }

  /**
   * Deploys a bundle, a script, or an image by its digest, unless that is what answers already.
   * @returns whether it was deployed. @throws HatcheryError as `deploy`
   */
  async ensure(name: string, body: DeployBody): Promise<boolean> {
    const { store } = this.#options;
    const answers = store.get(name) !== undefined && !this.#failed.has(name);
    if (answers && isSameVersion(name, body, await store.read(name))) {
      return false;
    }
    await this.deploy(name, body);
    return true;
  }

  /** @throws HatcheryError as the operation says */
  async deploy(name: string, body: DeployBody): Promise<Deployed> {
    const start = performance.now();
    const { store, data, bundling, serving, images, logs } = this.#options;
    return this.#inTurn(name, async () => {
      const keeps = Object.values(body.secrets ?? {}).includes(null);
      const before = keeps && store.get(name) ? await store.read(name) : undefined;
      const given = settingsOf(name, body, before);
      const order = bundleOrderOf(body);
      const code = order === undefined ? scriptOf(body) : await bundling.bundle(name, order);
      const version = { ...given, ...(code === undefined ? {} : { code }) };
      const prepared = await prepareVersion(name, version, images);
      const isNew = store.get(name) === undefined;
      // What its start-up code logs is worth reading, above all where it fails.
      logs.keep(name);
      try {
        const deployed = await serving.deployPrepared(prepared, async () => {
          await needing(version.settings.image, data, () => store.add(name, version));
        });
        return this.#deployed(name, deployed, start);
      } catch (error) {
        if (isNew && store.get(name) === undefined) {
          logs.forget(name);
        }
        throw error;
      }
    });
  }

  /**
   * @param version default: the one before the current one.
   * @throws HatcheryError as the operation says
   */
  async rollBack(name: string, version?: number): Promise<Deployed> {
    const start = performance.now();
    const { store, serving, images } = this.#options;
    return this.#inTurn(name, async () => {
      const chosen = version ?? this.#versionBefore(name);
      const prepared = await prepareVersion(name, await store.read(name, chosen), images);
      const deployed = await serving.deployPrepared(prepared, async () => {
        await store.makeCurrent(name, chosen);
      });
      return this.#deployed(name, deployed, start);
    });
  }

  /** @throws HatcheryError FUNCTION_MISSING, DATA_UNUSABLE */
  async remove(name: string): Promise<void> {
    const { store, serving, events, logs } = this.#options;
    await this.#inTurn(name, async () => {
      await store.remove(name);
      await serving.remove(name);
      this.#failed.delete(name);
      this.#strategies.delete(name);
      logs.forget(name);
      events.append({ type: 'removed', at: Date.now(), function: name });
    });
  }

  async list(): Promise<Facts[]> {
    return Promise.all(this.#options.store.list().map(({ name }) => this.#listed(name)));
  }

  /** One that cannot be read is no reason not to show the others. */
  async #listed(name: string): Promise<Facts> {
    return this.get(name).catch((error: unknown) => {
      const { current: version = 0, versions = [] } = this.#options.store.get(name) ?? {};
      return {
        ...{ name, state: 'failed' as const, problem: HatcheryError.from(error).message, version },
        versions: versions.map(({ version: number, createdAt }) => ({
          version: number,
          createdAt,
        })),
        ...{ image: 'unknown', secrets: [], routes: [] },
      };
    });
  }

  /** @throws HatcheryError FUNCTION_MISSING, DATA_UNUSABLE */
  async get(name: string): Promise<Facts> {
    const { store } = this.#options;
    const { settings, version, secrets } = await store.summary(name);
    const { strategy, poolSize, ...shown } = settings;
    const problem = this.#failed.get(name);
    const versions = store.get(name)?.versions ?? [];
    return {
      name,
      state: problem === undefined ? 'serving' : 'failed',
      ...(problem === undefined ? {} : { problem }),
      version,
      versions: versions.map(({ version: number, createdAt }) => ({ version: number, createdAt })),
      ...shown,
      ...(strategy === undefined ? {} : { strategy }),
      ...(poolSize === undefined ? {} : { poolSize }),
      secrets: [...secrets],
      routes: this.#routes(name, settings.hosts),
    };
  }

  /** Sends it a request, not by the front. @throws HatcheryError as the operation says */
  async request(name: string, body: RequestBody, requestId: string): Promise<RequestReply> {
    this.check(name);
    const request = requestOf(body, requestId, `http://${name}.localhost`);
    return replyBody(await this.#options.serving.requestFunction(name, request));
  }

  /** The current version, with its secrets. @throws HatcheryError FUNCTION_MISSING, DATA_UNUSABLE */
  version(name: string): Promise<OpenedVersion> {
    return this.#options.store.read(name);
  }

  /** @throws HatcheryError FUNCTION_MISSING */
  check(name: string): void {
    if (this.#options.store.get(name) === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: name });
    }
  }

  async #deployed(name: string, deployed: DeployedBy, start: number): Promise<Deployed> {
    this.#failed.delete(name);
    const { version, settings } = await this.#options.store.summary(name);
    this.#options.events.append({ type: 'deployed', at: Date.now(), function: name, version });
    const { strategy, coldStart } = deployed;
    this.#strategies.set(name, strategy);
    return {
      ...{ name, version, strategy, coldStart: { ...coldStart } as Record<string, number> },
      milliseconds: performance.now() - start,
      routes: this.#routes(name, settings.hosts),
    };
  }

  /** @throws HatcheryError FUNCTION_MISSING, VERSION_MISSING */
  #versionBefore(name: string): number {
    this.check(name);
    const { current = 0, versions = [] } = this.#options.store.get(name) ?? {};
    const before = versions.map(({ version }) => version).filter((version) => version < current);
    if (before.length === 0) {
      throw new HatcheryError('VERSION_MISSING', { function: name, version: current - 1 });
    }
    return Math.max(...before);
  }

  #routes(name: string, hosts: readonly string[]): string[] {
    if (this.#front === '') {
      return [];
    }
    const { protocol, port } = new URL(this.#front);
    const suffix = port === '' ? '' : `:${port}`;
    const names = [`${name}.localhost`, ...hosts].map((host) => `${protocol}//${host}${suffix}/`);
    return [`${this.#front}/${name}/`, ...names];
  }

  async #inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const result = before.catch(() => {}).then(work);
    this.#turns.set(name, result);
    try {
      return await result;
    } finally {
      if (this.#turns.get(name) === result) {
        this.#turns.delete(name);
      }
    }
  }
}
