/** What `deploy` is given, and what a server gets of it: a bundle, a script, or an image. */
import { statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import type { DeployRequest, WholeImage } from '../../client/index.js';
import { HatcheryError } from '../../errors.js';
import { IMAGE_REFERENCE_PATTERN, isDigest } from '../../image/store/image-name.js';
import { checkFile, functionName } from '../function-options.js';
import type { Terminal } from '../terminal.js';

/** What is to be deployed. */
export type Given =
  | { readonly kind: 'file'; readonly path: string }
  /** An image of this user's store, by its name or digest. */
  | { readonly kind: 'stored'; readonly reference: string }
  /** One that the server finds. */
  | { readonly kind: 'named'; readonly image: string };

export interface Sent {
  readonly code: Pick<DeployRequest, 'bundle' | 'script' | 'image'>;
  /** The image of `code`, which the server may not have. */
  readonly upload?: WholeImage;
}

const REFERENCE = new RegExp(IMAGE_REFERENCE_PATTERN);

/**
 * @param what a file; or, where there is none, an image of the user's own
 * @param image of the server, in its place
 * @throws HatcheryError INVALID_ARGUMENT
 */
export async function givenBy(what: string | undefined, image: string | undefined): Promise<Given> {
  if (what !== undefined && image === undefined) {
    return isReference(what) ? ofReference(what) : ofFile(what);
  }
  if (what === undefined && image !== undefined) {
    return { kind: 'named', image };
  }
  const problem = 'give a file or an image of yours, or an image of the server by --image';
  throw new HatcheryError('INVALID_ARGUMENT', { problem });
}

function isReference(what: string): boolean {
  const isFile = statSync(what, { throwIfNoEntry: false })?.isFile() === true;
  return isDigest(what) || (REFERENCE.test(what) && !isFile);
}

/** Every server has those of Hatchery itself. */
async function ofReference(reference: string): Promise<Given> {
  const { Images } = await import('../../image/images.js');
  return (await new Images().isBuiltIn(reference))
    ? { kind: 'named', image: reference }
    : { kind: 'stored', reference };
}

function ofFile(file: string): Given {
  if (extname(file) === '.elf') {
    const problem =
      `${basename(file)} cannot be sent: it does not say how it was built. Deploy its source, or an ` +
      'image of "hatchery image ls"';
    throw new HatcheryError('INVALID_ARGUMENT', { problem });
  }
  return { kind: 'file', path: resolve(file) };
}

/** What its function is called if nobody says otherwise. @throws HatcheryError INVALID_ARGUMENT */
export async function nameOf(given: Given): Promise<string> {
  if (given.kind === 'file') {
    return functionName(given.path);
  }
  const reference = given.kind === 'named' ? given.image : given.reference;
  if (!isDigest(reference)) {
    return reference;
  }
  const { ImageStore } = await import('../../image/store/image-store.js');
  const stored = given.kind === 'stored' ? await new ImageStore().inspect(reference) : undefined;
  if (stored?.name === undefined) {
    const problem = 'an image that has no name does not name its function: use --name';
    throw new HatcheryError('INVALID_ARGUMENT', { problem });
  }
  return stored.name;
}

/**
 * Bundles or builds here, where packages and compilers are.
 * @param folders that an image is built with
 * @throws HatcheryError BUNDLE_FAILED, IMAGE_UNKNOWN, IMAGE_INVALID, INVALID_ARGUMENT where a file cannot
 *   be read, and as an image fails to build
 */
export async function sentOf(
  name: string,
  given: Given,
  folders: readonly string[] | undefined,
  terminal: Terminal,
): Promise<Sent> {
  if (given.kind !== 'file') {
    const { checkNoFolders } = await import('../served-file.js');
    checkNoFolders(folders);
    return given.kind === 'named' ? { code: { image: given.image } } : stored(given.reference);
  }
  const { path } = given;
  const { builtFrom } = await import('../served-file.js');
  const built = await builtFrom(path, folders, terminal);
  if (built !== undefined) {
    return stored(built.image.digest);
  }
  return extname(path) === '.lua'
    ? { code: { script: await textOf(path) } }
    : { code: { bundle: await bundleOf(name, path) } };
}

async function stored(reference: string): Promise<Sent> {
  const { ImageStore } = await import('../../image/store/image-store.js');
  const { whole } = await new ImageStore().read(reference);
  return { code: { image: whole.digest }, upload: whole };
}

async function textOf(path: string): Promise<string> {
  checkFile(path);
  const { readFile } = await import('node:fs/promises');
  const bytes = await readFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const problem = `${path} is not UTF-8, which JSON cannot carry`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
  }
}

async function bundleOf(name: string, path: string): Promise<NonNullable<DeployRequest['bundle']>> {
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
