/** The control side of a server: its API, and everything that the API is about. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../errors.js';
import { Images } from '../image/images.js';
import type { Serving } from '../supervisor/serving.js';
import type { User } from '../supervisor/user.js';
import { Links } from './access/links.js';
import type { Rate } from './access/rate-limit.js';
import { Tokens } from './access/tokens.js';
import { Bundling } from './bundling/bundling.js';
import { DataFolder } from './data/data-folder.js';
import { FunctionStore } from './data/function-store.js';
import { SecretBox } from './data/secret-box.js';
import { Functions } from './functions/functions.js';
import { createHandlers } from './handlers.js';
import { EventStreams, STREAM_LIMITS, type StreamLimits } from './http/event-streams.js';
import { type ControlTimeouts, createControlServer } from './http/server.js';
import { Instances } from './instances/instances.js';
import type { Intake } from './intake.js';
import { expose } from './metrics/exposition.js';
import { COLLECT_MILLISECONDS, UPLOAD_LIMITS, type UploadLimits } from './uploads/upload-limits.js';
import { Uploads } from './uploads/uploads.js';

export interface ControlOptions {
  /** What serves; the control side does not close it. */
  readonly serving: Serving;
  /** What `serving` reports to. */
  readonly intake: Intake;
  /** The data folder. */
  readonly data: string;
  /** Whom bundlers become; `undefined`: they stay who this process is. */
  readonly bundlerUser: User | undefined;
  readonly logger: BaseLogger;
  /** Of the package. */
  readonly version: string;
  /** Host names that the API is served as, besides those of this machine. */
  readonly hosts?: readonly string[];
  /** Requests of each token. Default: 200 a second, 400 at once. */
  readonly rate?: Rate;
  readonly streams?: StreamLimits;
  readonly timeouts?: ControlTimeouts;
  /** Of images that clients send. Those that are not given are the usual ones. */
  readonly uploads?: Partial<UploadLimits>;
  /** Where the key for secrets is looked for first. Default: this process's environment. */
  readonly environment?: NodeJS.ProcessEnv;
}

const RATE: Rate = { perSecond: 200, burst: 400 };

export class Control {
  readonly functions: Functions;
  /** Images that clients send. */
  readonly uploads: Uploads;
  /** Let a browser in once each. */
  readonly links: Links;
  readonly #data: DataFolder;
  readonly #bundling: Bundling;
  readonly #streams: EventStreams;
  readonly #server: FastifyInstance;
  readonly #logger: BaseLogger;
  readonly #collector: NodeJS.Timeout;
  #collecting: Promise<void> | undefined;
  #front = '';

  private constructor(
    options: ControlOptions,
    kept: { data: DataFolder; store: FunctionStore; tokens: Tokens; uploads: Uploads },
  ) {
    const { serving, intake, logger, version, hosts = [] } = options;
    const { store, tokens, uploads } = kept;
    this.#data = kept.data;
    this.#bundling = new Bundling(options.bundlerUser);
    const { events, logs } = intake;
    const bundling = this.#bundling;
    const images = new Images(undefined, undefined, uploads);
    const functions = new Functions({
      ...{ store, data: this.#data.path, serving, bundling, images, events, logs, logger },
    });
    const instances = new Instances({ serving, functions, images }, events, logs);
    intake.endsGoTo(instances);
    this.functions = functions;
    this.uploads = uploads;
    this.#logger = logger;
    this.#collector = setInterval(() => this.#collect(), COLLECT_MILLISECONDS).unref();
    this.#streams = new EventStreams(options.streams ?? STREAM_LIMITS, (id) => tokens.isGood(id));
    this.links = new Links(tokens);
    const handlers = createHandlers({
      ...{ functions, instances, uploads, intake, tokens, links: this.links },
      streams: this.#streams,
      findRequest: (id) => serving.findRequest(id),
      statistics: () => serving.statistics(),
      server: () => {
        const { name, detail } = serving.driver;
        return {
          ...{ version, driver: name, workers: [...serving.workers], front: this.#front },
          ...(detail === undefined ? {} : { detail }),
        };
      },
    });
    this.#server = createControlServer({
      ...{ handlers, tokens, streams: this.#streams, hosts, logger, version },
      timeouts: options.timeouts,
      metrics: async () =>
        expose(await serving.statistics(), { version, driver: serving.driver.name }),
    });
  }

  /** @throws HatcheryError DATA_UNUSABLE, DATA_IN_USE */
  static async open(options: ControlOptions): Promise<Control> {
    const data = await DataFolder.open(options.data);
    try {
      const box = await SecretBox.open(data.path, options.environment ?? process.env);
      const store = await FunctionStore.open(data.path, box);
      const tokens = await Tokens.open(data.path, options.rate ?? RATE);
      const limits = { ...UPLOAD_LIMITS, ...options.uploads };
      const uploads = await Uploads.open(data.path, () => store.images(), limits);
      return new Control(options, { data, store, tokens, uploads });
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  /** Where its data is. */
  get dataFolder(): string {
    return this.#data.path;
  }

  /** How many streams of events are open. */
  get openStreams(): number {
    return this.#streams.count;
  }

  /** Says where functions are reached, as `http://host:port`. */
  reachedAt(front: string): void {
    this.#front = front;
    this.functions.reachedAt(front);
  }

  /** Makes ready what listening needs, which takes a while. */
  async ready(): Promise<void> {
    await this.#server.ready();
  }

  /** @returns where, as `http://host:port`. @throws HatcheryError PORT_IN_USE */
  async listen(host: string, port: number): Promise<string> {
    try {
      await this.#server.listen({ host, port });
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? new HatcheryError('PORT_IN_USE', { host, port }, { cause: error })
        : error;
    }
    this.#collect();
    const { address, family, port: actual } = this.#server.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
  }

  /** Removes images that nothing needs. */
  #collect(): void {
    this.#collecting = this.uploads.collect().catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'images that nothing needs cannot be removed');
    });
  }

  /** Ends all streams and connections. */
  async close(): Promise<void> {
    this.#streams.close();
    clearInterval(this.#collector);
    await this.#collecting;
    await this.#server.close();
    await this.#bundling.close();
    await this.#data.close();
  }
}
