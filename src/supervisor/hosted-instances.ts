/** The spawned instances of one process. */
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../errors.js';
import type { Fabric, StagedFunction } from '../fabric/fabric.js';
import type { Instance } from '../fabric/instance.js';
import { isWhole, type Reply } from '../fabric/message.js';
import { Timeline } from '../timeline.js';
import type { Chronicle } from './chronicle.js';
import {
  type InstanceReply,
  type InstanceRequest,
  MAX_REPLY_BYTES,
  type SpawnedBy,
  type SpawnOrder,
} from './instance-orders.js';
import { observedLogger } from './observed-logger.js';

interface Hosted {
  readonly instance: Instance;
  readonly function: string;
}

export class HostedInstances {
  readonly #fabric: Fabric;
  readonly #logger: BaseLogger;
  readonly #chronicle: Chronicle;
  readonly #hosted = new Map<string, Hosted>();

  /**
   * @param logger gets what instances log, too.
   * @param chronicle gets what they log, what they answer, and their ends.
   */
  constructor(fabric: Fabric, logger: BaseLogger, chronicle: Chronicle) {
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
    this.#hosted.set(id, { instance, function: name });
    void instance.ended.then((reason) => {
      this.#hosted.delete(id);
      const at = Date.now();
      this.#chronicle.add({ kind: 'ended', at, function: name, instance: id, reason });
    });
    return { strategy, coldStart: instance.coldStart };
  }

  /** @throws HatcheryError INSTANCE_GONE, RESPONSE_BODY_TOO_LARGE, and as `Instance.request` */
  async request(id: string, request: InstanceRequest): Promise<InstanceReply> {
    const { instance, function: name } = this.#find(id);
    const { requestId, method, url, headers } = request;
    const body = Buffer.from(request.body, 'base64');
    const timeline = new Timeline();
    const tell = (status: number, error?: unknown) => {
      const { usage } = timeline;
      const answered = { requestId, function: name, method, status, timeline, usage };
      this.#chronicle.answered(error === undefined ? answered : { ...answered, error }, id);
    };
    try {
      const parts = { method, url, headers, body, id: requestId };
      const reply = await instance.request(parts, timeline);
      const bytes = await whole(reply);
      timeline.reply ??= 0;
      tell(reply.status);
      return {
        ...{ requestId, status: reply.status, headers: reply.headers },
        ...{ body: bytes.toString('base64'), timeline: timeline.toJSON() },
        usage: timeline.usage,
      };
    } catch (error) {
      const known = HatcheryError.from(error);
      known.requestId ??= requestId;
      tell(known.status, known);
      throw known;
    }
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

async function whole({ body }: Reply): Promise<Buffer> {
  if (isWhole(body)) {
    checkSize(body.length);
    return body;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early ends the instance, whose answer nobody can have.
  for await (const chunk of body) {
    bytes += chunk.length;
    checkSize(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function checkSize(bytes: number): void {
  if (bytes > MAX_REPLY_BYTES) {
    throw new HatcheryError('RESPONSE_BODY_TOO_LARGE', { limit: MAX_REPLY_BYTES });
  }
}
