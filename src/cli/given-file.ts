/** The file that `hatchery up` deploys when it starts. */
import { resolve } from 'node:path';
import type { DeployRequest } from '../client/index.js';
import { checkFile } from './function-options.js';
import { deployRequest, nameFor } from './remote/deploy-request.js';

export class GivenFile {
  /** Of its function. */
  readonly name: string;
  readonly #order: Promise<DeployRequest>;

  /**
   * Begins to bundle it, beside whatever else the server does at its start.
   * @throws HatcheryError INVALID_ARGUMENT
   */
  constructor(file: string) {
    checkFile(resolve(file));
    this.name = nameFor(file, {});
    this.#order = deployRequest(this.name, file, {});
    // It is told when it is asked for.
    this.#order.catch(() => {});
  }

  /** What is to be deployed. @throws HatcheryError BUNDLE_FAILED */
  order(): Promise<DeployRequest> {
    return this.#order;
  }
}
