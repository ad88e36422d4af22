/**
 * The first half of a deployment: everything that reads files. Its result is plain data, so it can be
 * made in one process and deployed in others, which need no file system and no bundler.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HatcheryError } from '../errors.js';
import type { Bundle, Source } from '../image/bundle.js';
import type { ImageFile, Images } from '../image/images.js';
import {
  type CheckedDefinition,
  checkDefinition,
  type FunctionDefinition,
  LUA_IMAGE,
} from './definition.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';

/** What can be copied to another process: all but the host's own functions. */
export type PreparedDefinition = Omit<CheckedDefinition, 'bindings' | 'limits'> & {
  readonly limits: Limits;
};

/** Of a script that is its own bundle. */
export const EMPTY_MAP = '{"version":3,"sources":[],"names":[],"mappings":""}';

/** A function that only needs a driver; a structured clone of it is as good. */
export interface PreparedFunction {
  readonly definition: PreparedDefinition;
  /** The function's code; `undefined` for an image that takes none. */
  readonly bundle: Bundle | undefined;
  readonly image: ImageFile;
  /** Absolute; traces name source files relative to it. */
  readonly workingFolder: string;
}

/**
 * Checks a definition, bundles its source and reads its image.
 * @throws HatcheryError CONFIGURATION_INVALID, BUNDLE_FAILED, IMAGE_MISSING, IMAGE_INVALID
 */
export async function prepareFunction(
  definition: FunctionDefinition,
  images: Images,
): Promise<PreparedFunction> {
  return prepareChecked(checkDefinition(definition), images);
}

/** The same for a definition that was checked already. */
export async function prepareChecked(
  { bindings: _, ...definition }: CheckedDefinition,
  images: Images,
): Promise<PreparedFunction> {
  const [image, bundle] = await Promise.all([images.read(definition.image), codeOf(definition)]);
  return {
    definition: { ...definition, limits: limitsOf(definition, image) },
    ...{ bundle, image, workingFolder: process.cwd() },
  };
}

/** The definition's own, else the image's, else the usual ones. */
export function limitsOf(definition: Pick<CheckedDefinition, 'limits'>, image: ImageFile): Limits {
  return { ...DEFAULT_LIMITS, ...image.limits, ...definition.limits };
}

async function codeOf(
  definition: Pick<CheckedDefinition, 'name' | 'image' | 'file' | 'source' | 'folder'>,
): Promise<Bundle | undefined> {
  const source = sourceOf(definition);
  if (source === undefined) {
    return undefined;
  }
  return definition.image === LUA_IMAGE ? script(source) : bundleSource(definition.name, source);
}

/** @throws HatcheryError INVALID_ARGUMENT */
async function script(source: Source): Promise<Bundle> {
  const start = performance.now();
  const code =
    'text' in source
      ? new TextEncoder().encode(source.text)
      : await readFile(source.file).catch((cause: unknown) => {
          const problem = `${source.file} cannot be read: ${(cause as Error).message}`;
          throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
        });
  return {
    ...{ code, map: EMPTY_MAP, inputs: 'file' in source ? [resolve(source.file)] : [] },
    milliseconds: performance.now() - start,
  };
}

/** The bundler is loaded only where something is bundled: it takes memory. */
async function bundleSource(name: string, source: Source): Promise<Bundle> {
  const { bundle } = await import('../image/bundle.js');
  return bundle(name, source);
}

function sourceOf({
  file,
  source,
  folder,
}: Pick<CheckedDefinition, 'file' | 'source' | 'folder'>): Source | undefined {
  if (file !== undefined) {
    return { file };
  }
  return source === undefined ? undefined : { text: source, folder: folder ?? '.' };
}
