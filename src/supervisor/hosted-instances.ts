/** The spawned instances of one process, and requests that do not come by its front. */
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../errors.js';
import type { Fabric, StagedFunction } from '../fabric/fabric.js';
import type { Instance } from '../fabric/instance.js';
import type { Tracing } from '../front/tracing.js';
import type { Chronicle } from './chronicle.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import { observedLogger } from './observed-logger.js';
import { type Asked, wholeReply } from './whole-reply.js';

interface Hosted {
  readonly instance: Instance;
  readonly function: string;
  readonly strategy: SpawnedBy['strategy'];
}

export class HostedInstances {
  readonly #fabric: Fabric;
  readonly #logger: BaseLogger;
  readonly #chronicle: Chronicle;
  readonly #tracing: Tracing | undefined;
  readonly #hosted = new Map<string, Hosted>();

  /**
   * @param logger gets what instances log, too.
   * @param chronicle gets what they log, what they answer, and their ends.
   * @param tracing gets their requests that are traced.
   */
  constructor(fabric: Fabric, logger: BaseLogger, chronicle: Chronicle, tracing?: Tracing) {
    this.#tracing = tracing;
    this.#fabric = fabric;
    this.#logger = logger;
    this.#chronicle = chronicle;
  }

  /**
   * @throws HatcheryError FUNCTION_MISSING, OVERLOADED, and as `Fabric.stage` for one that has a
   *   function of its own
   */
  async spawn({ id, of }: SpawnOrder): Promise<SpawnedBy> {
    const logger = observedLogger(this.#logger, this.#chronicle.add, id);
    if (typeof of === 'string') {
      const fn = this.#fabric.function(of);
      if (fn === undefined) {
        throw new HatcheryError('FUNCTION_MISSING', { function: of });
      }
      const { strategy } = fn;
      return this.#keep(id, of, await fn.spawn(logger), strategy);
    }
    const staged = await this.#fabric.stage(of);
    return this.#spawnOf(staged, id, of.definition.name, logger);
  }

  async #spawnOf(
    staged: StagedFunction,
    id: string,
    name: string,
    logger: BaseLogger,
  ): Promise<SpawnedBy> {
    try {
      return this.#keep(id, name, await staged.spawn(logger), staged.strategy);
    } finally {
      // It goes when its only instance has ended.
      void staged.discard();
    }
  }

  #keep(id: string, name: string, instance: Instance, strategy: SpawnedBy['strategy']): SpawnedBy {
    this.#hosted.set(id, { instance, function: name, strategy });
    void instance.ended.then((reason) => {
      this.#hosted.delete(id);
      const at = Date.now();
      this.#chronicle.add({ kind: 'ended', at, function: name, instance: id, reason });
    });
    return { strategy, coldStart: instance.coldStart };
  }

  /** @throws HatcheryError INSTANCE_GONE, RESPONSE_BODY_TOO_LARGE, and as `Instance.request` */
  async request(id: string, request: InstanceRequest): Promise<InstanceReply> {
    const { instance, function: name, strategy } = this.#find(id);
    const asked = { ...this.#asked(request, name, strategy), instance: id };
    return wholeReply(asked, (parts, timeline) => instance.request(parts, timeline));
  }

  /**
   * Sends a request to a function, which answers it by an instance that lives for it only.
   * @throws HatcheryError FUNCTION_MISSING, RESPONSE_BODY_TOO_LARGE, and as `DeployedFunction.request`
   */
  async requestFunction(name: string, request: InstanceRequest): Promise<InstanceReply> {
    const fn = this.#fabric.function(name);
    if (fn === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: name });
    }
    const asked = this.#asked(request, name, fn.strategy);
    return wholeReply(asked, (parts, timeline) => fn.request(parts, timeline));
  }

  #asked(request: InstanceRequest, name: string, strategy: SpawnedBy['strategy']): Asked {
    const [chronicle, tracing] = [this.#chronicle, this.#tracing];
    return { request, function: name, strategy, chronicle, tracing };
  }

  /** Resolves when it is gone. @throws HatcheryError INSTANCE_GONE */
  async kill(id: string): Promise<void> {
    await this.#find(id).instance.kill();
  }

  #find(id: string): Hosted {
    const hosted = this.#hosted.get(id);
    if (hosted === undefined) {
      throw new HatcheryError('INSTANCE_GONE', { reason: 'it is not here any more' });
    }
    return hosted;
  }
}
