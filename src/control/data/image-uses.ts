/**
 * Which stored images the functions of servers need, in any version that is kept: a server notes its data
 * folder in the image store, and whoever removes images reads there what its functions use.
 */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Images } from '../../image/images.js';
import { ImageStore } from '../../image/store/image-store.js';
import type { ImageUse } from '../../image/store/image-users.js';
import { type FunctionIndex, parseIndex, parseVersion } from './stored-function.js';

/**
 * Does something by which a function of the server needs that image; whoever removes images of the user's
 * store knows of it then.
 * @param data the server's data folder
 * @throws HatcheryError IMAGE_MISSING, DATA_UNUSABLE, and what `work` throws
 */
export async function needing<Result>(
  image: string,
  data: string,
  work: () => Promise<Result>,
): Promise<Result> {
  // Of the store nothing is asked without need: it may be broken.
  return (await new Images().isBuiltIn(image)) ? work() : new ImageStore().using(image, data, work);
}

/**
 * What all servers need that have noted themselves in the store; those whose data folder is gone are
 * forgotten.
 * @throws Error where it cannot be told: nothing may be removed then
 */
export async function usesOf(store: ImageStore): Promise<ImageUse[]> {
  const uses: ImageUse[] = [];
  for (const data of await store.users.list()) {
    if (await isGone(data)) {
      await store.users.remove(data);
    } else {
      uses.push(...(await usesIn(data)));
    }
  }
  return uses;
}

/** A server may be changing its folder meanwhile: what it adds after this, it adds with the store's lock. */
async function usesIn(data: string): Promise<ImageUse[]> {
  const folder = join(data, 'functions');
  const uses = new Map<string, ImageUse>();
  for (const name of await present(readdir(folder), [])) {
    const text = await present(readFile(join(folder, name, 'index.json'), 'utf8'), undefined);
    for (const version of text === undefined ? [] : parseIndex(text).versions) {
      const image = await imageOf(join(folder, name), version);
      if (image !== undefined) {
        uses.set(`${name} ${image}`, { image, function: name, data });
      }
    }
  }
  return [...uses.values()];
}

/** `undefined` for a version that was dropped meanwhile, or whose file is not what it was: neither starts. */
async function imageOf(
  folder: string,
  { version, digest }: FunctionIndex['versions'][number],
): Promise<string | undefined> {
  const text = await present(readFile(join(folder, `${version}.json`), 'utf8'), undefined);
  if (text === undefined) {
    return undefined;
  }
  try {
    return parseVersion(text, digest).settings.image;
  } catch {
    return undefined;
  }
}

async function isGone(folder: string): Promise<boolean> {
  return access(folder).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/** What is read, or `otherwise` where there is no such file. */
async function present<Read, Otherwise>(
  reading: Promise<Read>,
  otherwise: Otherwise,
): Promise<Read | Otherwise> {
  return reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return otherwise;
    }
    throw error;
  });
}
