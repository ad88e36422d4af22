/** What a file that is named to `serve` or `run` is deployed as: sources of images are built first. */
import { resolve } from 'node:path';
import { HatcheryError } from '../errors.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import type { BuildResult } from '../image/build/image-builder.js';
import {
  checkFile,
  definitionFrom,
  type FunctionOptions,
  functionName,
} from './function-options.js';
import type { Terminal } from './terminal.js';

export interface ServedOptions extends FunctionOptions {
  readonly dir?: readonly string[];
}

export interface Deployable {
  readonly definition: FunctionDefinition;
  /** Absolute paths of the files that it is made of; `undefined`: whoever bundles it knows. */
  readonly inputs?: readonly string[];
}

/** @throws HatcheryError INVALID_ARGUMENT where a file cannot be read, and as an image fails to build */
export async function deployableFrom(
  file: string,
  options: ServedOptions,
  terminal: Terminal,
): Promise<Deployable> {
  const path = resolve(file);
  checkFile(path);
  const built = await builtFrom(path, options.dir, terminal);
  if (built === undefined) {
    const definition = definitionFrom(file, options);
    return definition.image === undefined ? { definition } : { definition, inputs: [path] };
  }
  const definition = definitionFrom(file, options);
  // The very image that was built, whoever takes its name meanwhile.
  return { definition: { ...definition, image: built.image.digest }, inputs: built.inputs };
}

/**
 * The image of a source, in the user's store; `undefined` where nothing is built of the file.
 * @param folders that go into the image
 * @throws HatcheryError INVALID_ARGUMENT, and as an image fails to build
 */
export async function builtFrom(
  path: string,
  folders: readonly string[] | undefined,
  terminal: Terminal,
): Promise<BuildResult | undefined> {
  // Loaded where something is built only.
  const { isBuildable } = await import('../image/build/sources.js');
  if (!isBuildable(path)) {
    checkNoFolders(folders);
    return undefined;
  }
  checkFile(path);
  const { buildImage } = await import('./image/builder.js');
  const name = functionName(path);
  const built = await buildImage(
    { name: await freeName(name), sources: [path], folders: folders ?? [] },
    terminal,
  );
  if (!built.wasBuilt) {
    terminal.note(`Built ${name} in ${built.milliseconds.toFixed(0)} ms`);
  }
  return built;
}

/** @throws HatcheryError INVALID_ARGUMENT where nothing is built that they could go into */
export function checkNoFolders(folders: readonly string[] | undefined): void {
  if (folders !== undefined) {
    const problem = '--dir is for images that are built here: .wasm, .wat and .c';
    throw new HatcheryError('INVALID_ARGUMENT', { problem });
  }
}

/** Images of the package keep their names. */
async function freeName(name: string): Promise<string> {
  const { Images } = await import('../image/images.js');
  return (await new Images().isBuiltIn(name)) ? `my-${name}`.slice(0, 63) : name;
}
