/** The typed client of the control API, for Node and browsers. */
import { ApiError } from './api-error.js';
import { ImagesClient } from './images.js';
import { type ClientOptions, Transport } from './transport.js';
import type {
  ControlEvent,
  DeployedVersion,
  DeployRequest,
  FunctionFacts,
  FunctionReply,
  FunctionRequest,
  InstanceFacts,
  InstanceFilter,
  InstanceReply,
  InstanceRequest,
  LinkFacts,
  LogLine,
  NewToken,
  RequestFacts,
  Scope,
  ServerFacts,
  SpawnRequest,
  Statistics,
  TokenFacts,
  TokenRequest,
} from './types.js';

export interface FollowOptions {
  /** Earlier lines at most. Default: 100. */
  readonly tail?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

export interface EventsOptions {
  /** Only of that function. */
  readonly function?: string;
  /** Go on behind this event. */
  readonly lastEventId?: string;
  readonly signal?: AbortSignal;
}

/** Between tries to go on with a stream that broke off. */
const RETRY_MILLISECONDS = 1_000;

/** All methods throw an ApiError with the code that the API's reference gives. */
export class HatcheryClient {
  readonly functions: FunctionsClient;
  readonly images: ImagesClient;
  readonly instances: InstancesClient;
  readonly tokens: TokensClient;
  readonly #transport: Transport;

  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(options);
    this.functions = new FunctionsClient(this.#transport);
    this.images = new ImagesClient(this.#transport);
    this.instances = new InstancesClient(this.#transport);
    this.tokens = new TokensClient(this.#transport);
  }

  /** Where the control API is, without a slash at its end. */
  get url(): string {
    return this.#transport.server;
  }

  server(): Promise<ServerFacts> {
    return this.#transport.ask('/v1/server');
  }

  /** What was counted since the start, and how full the server is: rates are differences of two. */
  statistics(): Promise<Statistics> {
    return this.#transport.ask('/v1/statistics');
  }

  /** How a request ended, and where its time went: by the X-Request-Id of its response. */
  request(id: string): Promise<RequestFacts> {
    return this.#transport.ask(`/v1/requests/${encodeURIComponent(id)}`);
  }

  /** The last crashes, the oldest first. */
  async crashes(): Promise<readonly ControlEvent[]> {
    return (await this.#transport.ask<{ crashes: ControlEvent[] }>('/v1/crashes')).crashes;
  }

  /**
   * What happens, from now on. Goes on by itself where the connection breaks off, behind the event
   * that came last; an event `lost` says where some are missing.
   */
  async *events(options: EventsOptions = {}): AsyncGenerator<ControlEvent> {
    const { signal, function: name } = options;
    let { lastEventId } = options;
    let hasBegun = false;
    while (signal?.aborted !== true) {
      try {
        const ask = { query: { function: name }, signal, lastEventId };
        for await (const { id, data } of this.#transport.stream<ControlEvent>('/v1/events', ask)) {
          hasBegun = true;
          lastEventId = id === '' ? lastEventId : id;
          yield data;
        }
      } catch (error) {
        if (signal?.aborted) {
          return;
        }
        // One that never worked will not work; nor will one that is refused.
        if (!hasBegun || !(error instanceof ApiError) || error.status !== 0) {
          throw error;
        }
      }
      await pause(RETRY_MILLISECONDS, signal);
    }
  }
}

class FunctionsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  deploy(name: string, body: DeployRequest): Promise<DeployedVersion> {
    return this.#transport.ask(pathOf(name), { method: 'PUT', body });
  }

  async list(): Promise<readonly FunctionFacts[]> {
    const { functions } = await this.#transport.ask<{ functions: FunctionFacts[] }>(
      '/v1/functions',
    );
    return functions;
  }

  get(name: string): Promise<FunctionFacts> {
    return this.#transport.ask(pathOf(name));
  }

  /** Sends it one request, by the API and not by the front: to try it. */
  request(name: string, body: FunctionRequest = {}): Promise<FunctionReply> {
    return this.#transport.ask(`${pathOf(name)}/requests`, { method: 'POST', body });
  }

  /** @param version default: the one before the current one. */
  rollBack(name: string, version?: number): Promise<DeployedVersion> {
    const body = version === undefined ? {} : { version };
    return this.#transport.ask(`${pathOf(name)}/rollback`, { method: 'POST', body });
  }

  async remove(name: string): Promise<void> {
    await this.#transport.ask(pathOf(name), { method: 'DELETE' });
  }

  /** The last lines. */
  async logs(name: string, tail?: number): Promise<readonly LogLine[]> {
    const ask = { query: { tail } };
    return (await this.#transport.ask<{ lines: LogLine[] }>(`${pathOf(name)}/logs`, ask)).lines;
  }

  /** The last lines, and those that come. */
  followLogs(name: string, options: FollowOptions = {}): AsyncGenerator<LogLine> {
    return follow(this.#transport, `${pathOf(name)}/logs/follow`, options);
  }
}

class InstancesClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  spawn(body: SpawnRequest): Promise<InstanceFacts> {
    return this.#transport.ask('/v1/instances', { method: 'POST', body });
  }

  async list(filter: InstanceFilter = {}): Promise<readonly InstanceFacts[]> {
    const ask = { query: filter };
    return (await this.#transport.ask<{ instances: InstanceFacts[] }>('/v1/instances', ask))
      .instances;
  }

  /** @param waitMilliseconds waits so long for it to be ready. Default: 0. */
  get(id: string, waitMilliseconds?: number): Promise<InstanceFacts> {
    return this.#transport.ask(pathOfInstance(id), { query: { waitMilliseconds } });
  }

  request(id: string, body: InstanceRequest = {}): Promise<InstanceReply> {
    return this.#transport.ask(`${pathOfInstance(id)}/requests`, { method: 'POST', body });
  }

  async kill(id: string): Promise<void> {
    await this.#transport.ask(pathOfInstance(id), { method: 'DELETE' });
  }

  async logs(id: string, tail?: number): Promise<readonly LogLine[]> {
    const ask = { query: { tail } };
    return (await this.#transport.ask<{ lines: LogLine[] }>(`${pathOfInstance(id)}/logs`, ask))
      .lines;
  }

  /** The last lines, and those that come, to its end. */
  followLogs(id: string, options: FollowOptions = {}): AsyncGenerator<LogLine> {
    return follow(this.#transport, `${pathOfInstance(id)}/logs/follow`, options);
  }

  /** What happened to it and happens, to its end. */
  async *events(id: string, signal?: AbortSignal): AsyncGenerator<ControlEvent> {
    const path = `${pathOfInstance(id)}/events`;
    for await (const { data } of this.#transport.stream<ControlEvent>(path, { signal })) {
      yield data;
    }
  }
}

class TokensClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  create(body: TokenRequest): Promise<NewToken> {
    return this.#transport.ask('/v1/tokens', { method: 'POST', body });
  }

  async list(): Promise<readonly TokenFacts[]> {
    return (await this.#transport.ask<{ tokens: TokenFacts[] }>('/v1/tokens')).tokens;
  }

  async remove(id: string): Promise<void> {
    await this.#transport.ask(`/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  createLink(scopes: readonly Scope[]): Promise<LinkFacts> {
    return this.#transport.ask('/v1/links', { method: 'POST', body: { scopes } });
  }

  followLink(code: string): Promise<NewToken> {
    return this.#transport.ask('/v1/links/follow', { method: 'POST', body: { code } });
  }
}

async function* follow(
  transport: Transport,
  path: string,
  { tail, signal }: FollowOptions,
): AsyncGenerator<LogLine> {
  for await (const { data } of transport.stream<LogLine>(path, { query: { tail }, signal })) {
    yield data;
  }
}

function pathOf(name: string): string {
  return `/v1/functions/${encodeURIComponent(name)}`;
}

function pathOfInstance(id: string): string {
  return `/v1/instances/${encodeURIComponent(id)}`;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
