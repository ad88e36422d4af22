/** Whatever serves functions: worker processes, or this process alone. */
import type { BaseLogger } from 'pino';
import type { DriverName, Strategy, XenGuestType } from '../drivers/driver.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import type { Admission } from '../fabric/places.js';
import type { PreparedFunction } from '../fabric/prepared.js';
import type { Reading } from '../statistics/reading.js';
import type { ColdPhases } from '../timeline.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import type { Report, RequestOutcome } from './observations.js';
import type { TracedServing } from './traced-requests.js';

export interface ServingOptions {
  readonly driver: DriverName | 'auto';
  /** With the driver xen only. */
  readonly xenType?: XenGuestType | undefined;
  readonly logger: BaseLogger;
  /** For the whole server. */
  readonly admission: Partial<Admission>;
  readonly trustProxy: readonly string[];
  readonly maxConnections: number;
  /** Requests go to the function that they name; else all to the first that is deployed. Default: no. */
  readonly byName?: boolean;
  /** Where requests go by name: the function that answers `/`. Default: none. */
  readonly rootFunction?: string | undefined;
  /** Is told what happens. Default: nobody. */
  readonly report?: Report | undefined;
  /** Takes part in distributed traces. Default: what comes of one is passed on as it is. */
  readonly tracing?: TracedServing | undefined;
  /** Where requests go by name: the Zerg page is served, where it is deployed. Default: no. */
  readonly zerg?: boolean;
}

/** A function that is deployed. */
export interface DeployedBy {
  readonly name: string;
  readonly strategy: Strategy;
  /** What its first start took, in milliseconds. */
  readonly coldStart: ColdPhases;
  /** Absolute paths of the files that went in. */
  readonly inputs: readonly string[];
}

export interface Serving {
  readonly driver: { readonly name: DriverName; readonly detail: string | undefined };
  /** The process ids of the workers; none where this process does everything. */
  readonly workers: readonly number[];
  /** @throws HatcheryError as `Fabric.deploy`; the version before goes on answering then */
  deploy(definition: FunctionDefinition): Promise<DeployedBy>;
  /**
   * The same for one that was prepared elsewhere.
   * @param beforeCommit is awaited when nothing can fail any more but this; if it does, the version
   *   before goes on answering.
   */
  deployPrepared(
    prepared: PreparedFunction,
    beforeCommit?: () => Promise<void>,
  ): Promise<DeployedBy>;
  /** Takes a function away; requests under way finish. */
  remove(name: string): Promise<void>;
  /** @throws HatcheryError as `HostedInstances.spawn`, and WORKER_DIED */
  spawn(order: SpawnOrder): Promise<SpawnedBy>;
  /** @throws HatcheryError as `HostedInstances.request`, and WORKER_DIED */
  request(instance: string, request: InstanceRequest): Promise<InstanceReply>;
  /**
   * Sends a request to a function, not by the front: its instance lives for it only.
   * @throws HatcheryError as `HostedInstances.requestFunction`, and WORKER_DIED
   */
  requestFunction(name: string, request: InstanceRequest): Promise<InstanceReply>;
  /** How a request ended, if that was not long ago: the last 4,096 of each process are kept. */
  findRequest(id: string): Promise<RequestOutcome | undefined>;
  /** What was counted since the start, and how full it is now; only where `report` is given. */
  statistics(): Promise<Reading>;
  /** @throws HatcheryError INSTANCE_GONE */
  kill(instance: string): Promise<void>;
  /**
   * Where requests do not go by name, after the first `deploy`.
   * @returns where, as `http://host:port`
   * @throws HatcheryError PORT_IN_USE, and what else the system says
   */
  listen(host: string, port: number): Promise<string>;
  /** Lets what is under way finish, and ends everything. */
  close(): Promise<void>;
}
