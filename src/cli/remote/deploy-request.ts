/** From the options of `deploy` to what the API takes besides the code. */
import type { DeployRequest } from '../../client/index.js';
import { limitsFrom } from '../limit-options.js';
import { readEnvFile } from '../values.js';

export interface DeployOptions {
  readonly name?: string;
  readonly image?: string;
  readonly dir?: readonly string[];
  readonly word?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly secretFile?: string;
  readonly keepSecret?: readonly string[];
  readonly allowFetch?: readonly string[];
  readonly bind?: readonly string[];
  readonly strategy?: 'reset' | 'clone' | 'pool' | 'boot';
  readonly poolSize?: number;
}

/** @throws HatcheryError INVALID_ARGUMENT where a file cannot be read */
export function settingsFrom(options: DeployOptions): DeployRequest {
  const { envFile, secretFile, keepSecret = [], strategy, poolSize, word } = options;
  const secrets = {
    ...Object.fromEntries(keepSecret.map((secret) => [secret, null])),
    ...(secretFile === undefined ? {} : readEnvFile(secretFile, '--secret-file')),
  };
  return {
    env: { ...(envFile === undefined ? {} : readEnvFile(envFile)), ...options.env },
    secrets,
    limits: limitsFrom({ ...options }),
    allowFetch: [...(options.allowFetch ?? [])],
    hosts: [...(options.bind ?? [])],
    ...(word === undefined ? {} : { commandLine: [...word] }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(poolSize === undefined ? {} : { poolSize }),
  };
}
