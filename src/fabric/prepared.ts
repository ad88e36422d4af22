/**
 * The first half of a deployment: everything that reads files. Its result is plain data, so it can be
 * made in one process and deployed in others, which need no file system and no bundler.
 */
import type { Bundle, Source } from '../image/bundle.js';
import type { ImageFile, Images } from '../image/images.js';
import { type CheckedDefinition, checkDefinition, type FunctionDefinition } from './definition.js';

/** What can be copied to another process: all but the host's own functions. */
export type PreparedDefinition = Omit<CheckedDefinition, 'bindings'>;

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
  const source = sourceOf(definition);
  const [image, bundle] = await Promise.all([
    images.read(definition.image),
    source === undefined ? undefined : bundleSource(definition.name, source),
  ]);
  return { definition, bundle, image, workingFolder: process.cwd() };
}

/** The bundler is loaded only where something is bundled: it takes memory. */
async function bundleSource(name: string, source: Source): Promise<Bundle> {
  const { bundle } = await import('../image/bundle.js');
  return bundle(name, source);
}

function sourceOf({ file, source, folder }: PreparedDefinition): Source | undefined {
  if (file !== undefined) {
    return { file };
  }
  return source === undefined ? undefined : { text: source, folder: folder ?? '.' };
}
