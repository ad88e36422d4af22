/** Serves from this process alone, for `--workers 0`. */
import { driverDetail } from '../drivers/detect.js';
import { HatcheryError } from '../errors.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import { Fabric } from '../fabric/fabric.js';
import { type Front, startFront } from '../front/front.js';
import type { DeployedBy, Serving, ServingOptions } from './serving.js';

export class OneProcess implements Serving {
  readonly workers = [];
  readonly driver: Serving['driver'];
  readonly #fabric: Fabric;
  readonly #options: ServingOptions;
  #functionName: string | undefined;
  #front: Front | undefined;

  private constructor(fabric: Fabric, options: ServingOptions) {
    this.#fabric = fabric;
    this.#options = options;
    const { name } = fabric.driver;
    this.driver = { name, detail: driverDetail(name) };
  }

  /** @throws HatcheryError as Fabric.open */
  static async open(options: ServingOptions): Promise<OneProcess> {
    const { driver, xenType, logger, admission } = options;
    return new OneProcess(await Fabric.open({ driver, xenType, logger, admission }), options);
  }

  async deploy(definition: FunctionDefinition): Promise<DeployedBy> {
    const fn = await this.#fabric.deploy(definition);
    this.#functionName = fn.name;
    return fn;
  }

  async listen(host: string, port: number): Promise<string> {
    if (this.#functionName === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: '' });
    }
    const { trustProxy, maxConnections, logger } = this.#options;
    const functionName = this.#functionName;
    this.#front = await startFront(this.#fabric, {
      ...{ functionName, host, port, trustProxy, maxConnections, logger },
    });
    return this.#front.url;
  }

  async close(): Promise<void> {
    await this.#front?.close();
    await this.#fabric.close();
  }
}
