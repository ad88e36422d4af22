/** The spawn API: instances that live until they are killed, or nobody uses them. */
import { randomBytes } from 'node:crypto';
import { DEFAULT_IDLE_MILLISECONDS } from '../../api/instance-operations.js';
import type { BodyOf, ResponseOf } from '../../api/operation.js';
import type { Operations } from '../../api/operations.js';
import { HatcheryError } from '../../errors.js';
import { takesCode } from '../../fabric/definition.js';
import type { PreparedFunction } from '../../fabric/prepared.js';
import type { Images } from '../../image/images.js';
import type { Serving } from '../../supervisor/serving.js';
import type { EventLog } from '../events/event-log.js';
import { prepareVersion } from '../functions/definitions.js';
import type { Functions } from '../functions/functions.js';
import type { LogStore } from '../logs/log-store.js';
import { replyBody, requestOf } from '../requests.js';
import { type InstanceFacts, InstanceRecord } from './instance-record.js';

type SpawnBody = BodyOf<Operations['spawnInstance']>;
type RequestBody = BodyOf<Operations['requestInstance']>;
type Reply = ResponseOf<Operations['requestInstance']>;

/** How many that have ended are remembered, with their logs. */
const REMEMBERED = 500;
const ID_BYTES = 8;
/** Of requests whose URL names no host. */
const OWN_ORIGIN = 'http://instance';

export class Instances {
  readonly #serving: Serving;
  readonly #functions: Functions;
  readonly #events: EventLog;
  readonly #logs: LogStore;
  readonly #images: Images;
  /** In the order in which they were made. */
  readonly #records = new Map<string, InstanceRecord>();
  #endedCount = 0;

  constructor(
    { serving, functions, images }: { serving: Serving; functions: Functions; images: Images },
    events: EventLog,
    logs: LogStore,
  ) {
    this.#serving = serving;
    this.#functions = functions;
    this.#images = images;
    this.#events = events;
    this.#logs = logs;
  }

  /** @throws HatcheryError as the operation says */
  async spawn(body: SpawnBody): Promise<InstanceFacts> {
    check(body);
    const id = `i-${randomBytes(ID_BYTES).toString('hex')}`;
    // Before it is known: what is wrong with the order is an error even where nobody waits.
    const of = await this.#whose(id, body);
    const record = new InstanceRecord({
      id,
      function: body.function,
      image: body.image,
      driver: this.#serving.driver.name,
      lifetime: body.shutdownAfterMilliseconds,
      idle: body.idleMilliseconds ?? DEFAULT_IDLE_MILLISECONDS,
      onOver: (reason) => void this.#end(record, reason),
    });
    this.#records.set(id, record);
    this.#logs.keep(id);
    this.#tell(record, { type: 'spawned' });
    void this.#start(record, of);
    if (body.wait !== false) {
      await record.whenStarted();
    }
    return record.facts();
  }

  list(name: string | undefined, withEnded: boolean): InstanceFacts[] {
    return [...this.#records.values()]
      .filter((record) => withEnded || !record.hasEnded)
      .filter((record) => name === undefined || record.function === name)
      .map((record) => record.facts());
  }

  /** @throws HatcheryError INSTANCE_UNKNOWN */
  async get(id: string, waitMilliseconds: number): Promise<InstanceFacts> {
    const record = this.find(id);
    if (waitMilliseconds > 0) {
      await record.waitFor(waitMilliseconds);
    }
    return record.facts();
  }

  /** @throws HatcheryError as the operation says */
  async request(id: string, body: RequestBody, requestId: string): Promise<Reply> {
    const record = this.find(id);
    const request = requestOf(body, requestId, OWN_ORIGIN);
    await record.whenStarted();
    this.#checkAlive(record);
    record.beginRequest();
    try {
      return replyBody(await this.#serving.request(id, request));
    } catch (error) {
      const known = HatcheryError.from(error);
      throw known.code === 'INSTANCE_GONE' ? gone(record) : known;
    } finally {
      record.endRequest();
    }
  }

  /** @throws HatcheryError INSTANCE_UNKNOWN, INSTANCE_GONE */
  async kill(id: string): Promise<void> {
    const record = this.find(id);
    this.#checkAlive(record);
    await this.#end(record, 'it was killed');
  }

  /** @throws HatcheryError INSTANCE_UNKNOWN */
  find(id: string): InstanceRecord {
    const record = this.#records.get(id);
    if (record === undefined) {
      throw new HatcheryError('INSTANCE_UNKNOWN', { instance: id });
    }
    return record;
  }

  /** What serves says that one has ended. */
  observeEnd(id: string, reason: string): void {
    const record = this.#records.get(id);
    if (record !== undefined) {
      record.ended(reason);
      this.#tellEnd(record);
    }
  }

  async #start(record: InstanceRecord, of: string | PreparedFunction): Promise<void> {
    try {
      const spawned = await this.#serving.spawn({ id: record.id, of });
      record.ready(spawned);
      const timeline = { ...spawned.coldStart } as Record<string, number>;
      this.#tell(record, { type: 'ready', timeline });
      if (record.hasEnded) {
        // It was killed before it was there.
        await this.#serving.kill(record.id).catch(() => {});
      }
    } catch (error) {
      record.failed(HatcheryError.from(error));
      this.#tellEnd(record);
    }
  }

  async #end(record: InstanceRecord, reason: string): Promise<void> {
    record.because(reason);
    try {
      await this.#serving.kill(record.id);
    } catch (error) {
      // It is starting yet, or was quicker.
      if (HatcheryError.from(error).code !== 'INSTANCE_GONE') {
        throw error;
      }
    }
    // What serves tells of it, too, behind all that happened before.
    record.ended(reason);
  }

  /** A deployed function as it is, or what is the instance's own. */
  async #whose(id: string, body: SpawnBody): Promise<string | PreparedFunction> {
    const { function: name, image, memoryBytes, commandLine = [] } = body;
    const limits = memoryBytes === undefined ? {} : { memoryBytes };
    if (name === undefined) {
      const settings = {
        ...{ image: image as string, env: {}, limits, allowFetch: [], warmUp: false },
        ...{ hosts: [], commandLine: [...commandLine] },
      };
      return prepareVersion(id, { settings, secrets: {} }, this.#images);
    }
    this.#functions.check(name);
    if (memoryBytes === undefined && body.commandLine === undefined) {
      return name;
    }
    const version = await this.#functions.version(name);
    const settings = {
      ...version.settings,
      limits: { ...version.settings.limits, ...limits },
      commandLine: [...(body.commandLine ?? version.settings.commandLine)],
      hosts: [],
    };
    return prepareVersion(name, { ...version, settings }, this.#images);
  }

  #checkAlive(record: InstanceRecord): void {
    if (record.hasEnded) {
      throw gone(record);
    }
  }

  #tell(record: InstanceRecord, event: Partial<Parameters<EventLog['append']>[0]>): void {
    const { id, function: name } = record;
    const of = name === undefined ? {} : { function: name };
    this.#events.append({ type: 'spawned', at: Date.now(), instance: id, ...of, ...event });
  }

  #tellEnd(record: InstanceRecord): void {
    if (record.endIsTold) {
      return;
    }
    record.endIsTold = true;
    this.#tell(record, { type: 'killed', reason: record.reason });
    this.#endedCount += 1;
    if (this.#endedCount > REMEMBERED) {
      this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    for (const [id, record] of this.#records) {
      if (record.hasEnded) {
        this.#records.delete(id);
        this.#logs.forget(id);
        this.#endedCount -= 1;
        return;
      }
    }
  }
}

function check({ function: name, image }: SpawnBody): void {
  if ((name === undefined) === (image === undefined)) {
    throw invalid('function', 'exactly one of it and image must be given');
  }
  if (image !== undefined && takesCode(image)) {
    throw invalid('image', `${image} runs functions: give one`);
  }
}

function invalid(path: string, problem: string): HatcheryError {
  return new HatcheryError('CONFIGURATION_INVALID', { path, problem });
}

function gone(record: InstanceRecord): HatcheryError {
  return new HatcheryError('INSTANCE_GONE', { reason: record.reason });
}
