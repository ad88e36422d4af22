/** The file that `hatchery up` deploys when it starts. */
import { resolve } from 'node:path';
import type { DeployRequest } from '../client/index.js';
import type { Control } from '../control/control.js';
import { checkFile, functionName } from './function-options.js';
import { settingsFrom } from './remote/deploy-request.js';
import { type Sent, sentOf } from './remote/deploy-source.js';
import type { Terminal } from './terminal.js';

export class GivenFile {
  /** Of its function. */
  readonly name: string;
  readonly #sent: Promise<Sent>;

  /**
   * Begins to bundle or build it, beside whatever else the server does at its start.
   * @throws HatcheryError INVALID_ARGUMENT
   */
  constructor(file: string, terminal: Terminal) {
    const path = resolve(file);
    checkFile(path);
    this.name = functionName(path);
    this.#sent = sentOf(this.name, { kind: 'file', path }, undefined, terminal);
    // It is told when it is asked for.
    this.#sent.catch(() => {});
  }

  /** @throws HatcheryError as `sentOf`, and as a deploy by the API */
  async deploy({ uploads, functions }: Pick<Control, 'uploads' | 'functions'>): Promise<void> {
    const { code, upload } = await this.#sent;
    if (upload !== undefined) {
      await uploads.add({ ...upload, digest: upload.digest as `sha256:${string}` });
    }
    const order: DeployRequest = { ...code, ...settingsFrom({}) };
    await functions.ensure(this.name, order);
  }
}
