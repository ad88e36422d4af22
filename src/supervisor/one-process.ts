/** Serves from this process alone, for `--workers 0`. */
import type { BaseLogger } from 'pino';
import { driverDetail } from '../drivers/detect.js';
import { HatcheryError } from '../errors.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import { Fabric } from '../fabric/fabric.js';
import type { DeployedFunction } from '../fabric/function.js';
import { type PreparedFunction, prepareFunction } from '../fabric/prepared.js';
import { type Front, startFront } from '../front/front.js';
import { Images } from '../image/images.js';
import { Gathering } from '../statistics/gathering.js';
import type { Reading } from '../statistics/reading.js';
import { Teller } from '../statistics/teller.js';
import { FunctionsWithZerg } from '../zerg/functions-with-zerg.js';
import { Chronicle } from './chronicle.js';
import { HostedInstances } from './hosted-instances.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import type { RequestOutcome } from './observations.js';
import { observedLogger } from './observed-logger.js';
import type { DeployedBy, Serving, ServingOptions } from './serving.js';
import { TraceBuffer } from './traced-requests.js';

export class OneProcess implements Serving {
  readonly workers = [];
  readonly driver: Serving['driver'];
  readonly #fabric: Fabric;
  readonly #options: ServingOptions;
  readonly #chronicle: Chronicle;
  readonly #teller: Teller;
  readonly #gathering = new Gathering();
  readonly #traces: TraceBuffer | undefined;
  readonly #instances: HostedInstances;
  readonly #images = new Images();
  #functionName: string | undefined;
  #front: Front | undefined;
  /** Deployments, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(fabric: Fabric, options: ServingOptions, chronicle: Chronicle) {
    this.#fabric = fabric;
    this.#options = options;
    this.#chronicle = chronicle;
    this.#teller = new Teller(fabric);
    chronicle.countBy(this.#teller);
    const tell = async () => this.#teller.tell();
    this.#gathering.join({ processId: process.pid, tell }, '0');
    const { name } = fabric.driver;
    this.driver = { name, detail: driverDetail(name) };
    const { tracing, logger } = options;
    this.#traces = tracing && new TraceBuffer(name, tracing);
    this.#instances = new HostedInstances(fabric, logger, chronicle, this.#traces);
  }

  /** @throws HatcheryError as Fabric.open */
  static async open(options: ServingOptions): Promise<OneProcess> {
    const { driver, xenType, admission, report } = options;
    const chronicle = new Chronicle(report ?? (() => {}));
    const logger: BaseLogger =
      report === undefined ? options.logger : observedLogger(options.logger, chronicle.add);
    const fabric = await Fabric.open({ driver, xenType, logger, admission });
    return new OneProcess(fabric, options, chronicle);
  }

  async deploy(definition: FunctionDefinition): Promise<DeployedBy> {
    const prepared = await prepareFunction(definition, this.#images);
    return this.deployPrepared(prepared);
  }

  deployPrepared(
    prepared: PreparedFunction,
    beforeCommit?: () => Promise<void>,
  ): Promise<DeployedBy> {
    const result = this.#turn.catch(() => {}).then(() => this.#deployNow(prepared, beforeCommit));
    this.#turn = result;
    return result;
  }

  async #deployNow(
    prepared: PreparedFunction,
    beforeCommit?: () => Promise<void>,
  ): Promise<DeployedFunction> {
    const staged = await this.#fabric.stage(prepared);
    try {
      await beforeCommit?.();
    } catch (error) {
      await staged.discard();
      throw error;
    }
    this.#gathering.keep(prepared.definition.name);
    const fn = staged.commit();
    this.#functionName ??= fn.name;
    return fn;
  }

  async remove(name: string): Promise<void> {
    void this.#fabric.function(name)?.remove();
    this.#teller.forget(name);
    this.#gathering.forget(name);
  }

  spawn(order: SpawnOrder): Promise<SpawnedBy> {
    return this.#instances.spawn(order);
  }

  request(instance: string, request: InstanceRequest): Promise<InstanceReply> {
    return this.#instances.request(instance, request);
  }

  requestFunction(name: string, request: InstanceRequest): Promise<InstanceReply> {
    return this.#instances.requestFunction(name, request);
  }

  async findRequest(id: string): Promise<RequestOutcome | undefined> {
    return this.#chronicle.recent.get(id);
  }

  statistics(): Promise<Reading> {
    return this.#gathering.read();
  }

  kill(instance: string): Promise<void> {
    return this.#instances.kill(instance);
  }

  async listen(host: string, port: number): Promise<string> {
    const { trustProxy, maxConnections, logger, byName = false, rootFunction } = this.#options;
    if (!byName && this.#functionName === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: '' });
    }
    const functionName = byName ? undefined : this.#functionName;
    const observer = this.#options.report && this.#chronicle.answered;
    this.#front = await startFront(this.#routed(), {
      ...{ functionName, rootFunction, host, port, trustProxy, maxConnections, logger, observer },
      driver: this.driver.name,
      tracing: this.#traces,
    });
    return this.#front.url;
  }

  /** All views are rendered in this process, so that there are none elsewhere. */
  #routed(): Fabric | FunctionsWithZerg {
    const { name: driver } = this.driver;
    return this.#options.zerg === true
      ? new FunctionsWithZerg(this.#fabric, {
          ...{ driver, owner: '0', elsewhere: async () => undefined },
        })
      : this.#fabric;
  }

  async close(): Promise<void> {
    await this.#front?.close();
    await this.#fabric.close();
    this.#chronicle.flush();
    this.#gathering.close();
    this.#traces?.flush();
  }
}
