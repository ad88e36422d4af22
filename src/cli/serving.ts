/** What `serve` needs of whatever serves: worker processes, or this process alone. */
import type { BaseLogger } from 'pino';
import type { DriverName, Strategy, XenGuestType } from '../drivers/driver.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import type { Admission } from '../fabric/places.js';

export interface ServingOptions {
  readonly driver: DriverName | 'auto';
  /** With the driver xen only. */
  readonly xenType?: XenGuestType | undefined;
  readonly logger: BaseLogger;
  /** For the whole server. */
  readonly admission: Partial<Admission>;
  readonly trustProxy: readonly string[];
  readonly maxConnections: number;
}

/** A function that is deployed. */
export interface DeployedBy {
  readonly name: string;
  readonly strategy: Strategy;
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
   * After the first `deploy`.
   * @returns where, as `http://host:port`
   * @throws HatcheryError PORT_IN_USE, and what else the system says
   */
  listen(host: string, port: number): Promise<string>;
  /** Lets what is under way finish, and ends everything. */
  close(): Promise<void>;
}
