/** Serves from worker processes. */
import type { FunctionDefinition } from '../fabric/definition.js';
import type { PreparedFunction } from '../fabric/prepared.js';
import type { Reading } from '../statistics/reading.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import type { RequestOutcome } from './observations.js';
import type { DeployedBy, Serving, ServingOptions } from './serving.js';
import { Supervisor, type SupervisorOptions } from './supervisor.js';

export class Supervised implements Serving {
  readonly driver: Serving['driver'];
  readonly #supervisor: Supervisor;

  private constructor(supervisor: Supervisor, driver: Serving['driver']) {
    this.#supervisor = supervisor;
    this.driver = driver;
  }

  /** @throws HatcheryError ADDON_MISSING, INVALID_ARGUMENT, KVM_UNAVAILABLE, DRIVER_FAILED */
  static async open(options: ServingOptions & SupervisorOptions): Promise<Supervised> {
    const supervisor = new Supervisor(options);
    try {
      return new Supervised(supervisor, await supervisor.start());
    } catch (error) {
      await supervisor.close();
      throw error;
    }
  }

  get workers(): readonly number[] {
    return this.#supervisor.workers;
  }

  deploy(definition: FunctionDefinition): Promise<DeployedBy> {
    return this.#supervisor.deploy(definition);
  }

  deployPrepared(
    prepared: PreparedFunction,
    beforeCommit?: () => Promise<void>,
  ): Promise<DeployedBy> {
    return this.#supervisor.deployPrepared(prepared, beforeCommit);
  }

  remove(name: string): Promise<void> {
    return this.#supervisor.remove(name);
  }

  spawn(order: SpawnOrder): Promise<SpawnedBy> {
    return this.#supervisor.spawn(order);
  }

  request(instance: string, request: InstanceRequest): Promise<InstanceReply> {
    return this.#supervisor.request(instance, request);
  }

  requestFunction(name: string, request: InstanceRequest): Promise<InstanceReply> {
    return this.#supervisor.requestFunction(name, request);
  }

  kill(instance: string): Promise<void> {
    return this.#supervisor.kill(instance);
  }

  findRequest(id: string): Promise<RequestOutcome | undefined> {
    return this.#supervisor.findRequest(id);
  }

  statistics(): Promise<Reading> {
    return this.#supervisor.statistics();
  }

  listen(host: string, port: number): Promise<string> {
    return this.#supervisor.listen(host, port);
  }

  close(): Promise<void> {
    return this.#supervisor.close();
  }
}
