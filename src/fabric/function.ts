/** A deployed function, by its name: redeploying the name changes what answers, not this object. */
import type { BaseLogger } from 'pino';
import type { Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { type ColdPhases, Timeline } from '../timeline.js';
import type { Deployment, Pool } from './deployment.js';
import type { Instance } from './instance.js';
import type { Limits } from './limits.js';
import type { FunctionRequest, Reply } from './message.js';
import { answer, partsOf, type RequestParts, requestFrom } from './web.js';

/** One version of a function. */
export interface Version {
  readonly deployment: Deployment;
  /** Absolute paths of the files that went in. */
  readonly inputs: readonly string[];
  /** What bundling took. */
  readonly bundleMilliseconds: number | undefined;
}

export class DeployedFunction {
  readonly name: string;
  #version: Version | undefined;
  readonly #remove: (fn: DeployedFunction) => Promise<void>;

  /** Made by `Fabric.deploy`. */
  constructor(name: string, remove: (fn: DeployedFunction) => Promise<void>) {
    this.name = name;
    this.#remove = remove;
  }

  /** How its instances come to be. */
  get strategy(): Strategy {
    return this.#current().deployment.spawning.strategy;
  }

  /** What its first start took, in milliseconds; bundling is apart. */
  get coldStart(): ColdPhases {
    return this.#current().deployment.spawning.cold;
  }

  /** What esbuild took, in milliseconds; `undefined` for an image that needs no code. */
  get bundleMilliseconds(): number | undefined {
    return this.#current().bundleMilliseconds;
  }

  /** Absolute paths of all source files of the function, dependencies included. */
  get inputs(): readonly string[] {
    return this.#current().inputs;
  }

  /**
   * As the global `fetch`, answered by an instance of its own. `timelineOf(response)` says where
   * the time went.
   * @throws HatcheryError FUNCTION_THREW, FUNCTION_CRASHED, FUNCTION_STALLED, RESPONSE_INVALID,
   *   DEADLINE_EXCEEDED, MEMORY_EXCEEDED, REQUEST_BODY_TOO_LARGE, REQUEST_HEAD_TOO_LARGE,
   *   RESPONSE_BODY_TOO_LARGE, OVERLOADED, FUNCTION_MISSING, FABRIC_CLOSED
   */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const start = performance.now();
    this.#current();
    const parts = await partsOf(input, init);
    return answer(parts, (request) => this.handle(request, new Timeline(start)));
  }

  /**
   * The same by parts, without the standard's objects; cheaper.
   * @param timeline gets its phases, of a request that fails too.
   */
  async request(parts: RequestParts, timeline = new Timeline()): Promise<Reply> {
    const reply = await this.handle(requestFrom(parts), timeline);
    timeline.reply = 0;
    return reply;
  }

  /**
   * The same for the front: synchronous where the function answers within a slice on the calling
   * thread.
   * @param timeline gets its phases, but for `reply`.
   */
  handle(request: FunctionRequest, timeline: Timeline): Reply | Promise<Reply> {
    return this.#current().deployment.handle(request, timeline);
  }

  /** What its instances may use. */
  get limits(): Limits {
    return this.#current().deployment.serving.limits;
  }

  /**
   * An instance that lives until it is killed, for several requests.
   * @param logger gets what it logs. Default: the fabric's.
   * @throws HatcheryError FUNCTION_MISSING, FABRIC_CLOSED, OVERLOADED, DRIVER_FAILED
   */
  async spawn(logger?: BaseLogger): Promise<Instance> {
    return this.#current().deployment.spawn(logger);
  }

  /** Its virtual machines for single requests. @throws HatcheryError FUNCTION_MISSING */
  get pool(): Pool {
    return this.#current().deployment.pool;
  }

  /** Takes the function away, after its last request. */
  remove(): Promise<void> {
    return this.#remove(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  /** What answers, if there is something; for the fabric. */
  get deployment(): Deployment | undefined {
    return this.#version?.deployment;
  }

  /**
   * Lets another version answer from now on; for the fabric.
   * @returns the deployment that answered until now.
   */
  replace(version: Version | undefined): Deployment | undefined {
    const before = this.#version?.deployment;
    this.#version = version;
    return before;
  }

  #current(): Version {
    if (this.#version === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: this.name });
    }
    return this.#version;
  }
}
