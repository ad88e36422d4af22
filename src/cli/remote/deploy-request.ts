/** From the options of `function deploy` to what the API takes. */
import { basename, dirname, extname, resolve } from 'node:path';
import type { DeployRequest } from '../../client/index.js';
import { HatcheryError } from '../../errors.js';
import { functionName } from '../function-options.js';
import { limitsFrom } from '../limit-options.js';
import { readEnvFile } from '../values.js';

export interface DeployOptions {
  readonly name?: string;
  readonly image?: string;
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

/** What becomes an image, or is one. */
const NOT_SENT = ['.elf', '.wasm', '.wat', '.c'];

/** @throws HatcheryError INVALID_ARGUMENT where neither a file nor an image says it, or the file is one */
export function nameFor(file: string | undefined, { name, image }: DeployOptions): string {
  if ((file === undefined) === (image === undefined)) {
    throw new HatcheryError('INVALID_ARGUMENT', { problem: 'give a file, or an image by --image' });
  }
  if (file !== undefined && NOT_SENT.includes(extname(file))) {
    const problem =
      `${basename(file)} cannot be sent: build an image of it with "hatchery image build" on the ` +
      'machine of the server, as its user, and use --image';
    throw new HatcheryError('INVALID_ARGUMENT', { problem });
  }
  return name ?? (file === undefined ? (image as string) : functionName(resolve(file)));
}

/**
 * The file is bundled here, where its packages are.
 * @throws HatcheryError BUNDLE_FAILED, INVALID_ARGUMENT where a file cannot be read
 */
export async function deployRequest(
  name: string,
  file: string | undefined,
  options: DeployOptions,
): Promise<DeployRequest> {
  const { image, envFile, secretFile, keepSecret = [], strategy, poolSize, word } = options;
  const secrets = {
    ...Object.fromEntries(keepSecret.map((secret) => [secret, null])),
    ...(secretFile === undefined ? {} : readEnvFile(secretFile, '--secret-file')),
  };
  return {
    ...(file === undefined ? {} : { bundle: await bundleOf(name, file) }),
    ...(image === undefined ? {} : { image }),
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

async function bundleOf(name: string, file: string): Promise<NonNullable<DeployRequest['bundle']>> {
  const path = resolve(file);
  const { bundle } = await import('../../image/bundle.js');
  const { code, map } = await bundle(name, { file: path });
  return {
    code: new TextDecoder().decode(code),
    map: relativeTo(dirname(path), map),
  };
}

/** Where things are on this machine is nobody's business on another. */
function relativeTo(folder: string, text: string): string {
  const map = JSON.parse(text) as { readonly sources: readonly string[] };
  const sources = map.sources.map((source) =>
    source.startsWith(`${folder}/`)
      ? source.slice(folder.length + 1)
      : `outside/${basename(source)}`,
  );
  return JSON.stringify({ ...map, sources });
}
