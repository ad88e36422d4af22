/**
 * An upload as the only file system that a bundler sees: esbuild gets every file from here, by a plugin,
 * so that there is nothing else that a path could lead to.
 */
import { posix } from 'node:path';
import type { Loader, Plugin } from 'esbuild';
import { legacy, exports as resolveExports, imports as resolveImports } from 'resolve.exports';

/** Where the upload is, in its own world: in traces and messages. */
export const UPLOAD_FOLDER = '/upload';

const NAMESPACE = 'upload';
const ENDINGS = ['', '.ts', '.tsx', '.mts', '.js', '.jsx', '.mjs', '.json'];
const LOADERS: Readonly<Record<string, Loader>> = {
  ...{ '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx', '.jsx': 'jsx', '.js': 'js' },
  ...{ '.mjs': 'js', '.cjs': 'js', '.json': 'json', '.txt': 'text' },
};
/** As for edge platforms; see src/image/bundle.ts. */
const CONDITIONS = {
  unsafe: true,
  conditions: ['workerd', 'worker', 'browser', 'module', 'import', 'default'],
};
const FIELDS = ['module', 'main'];

/** A relative path in an upload, with nothing in it that leads out of it. */
export function isUploadPath(path: string): boolean {
  return (
    path.length <= 1_024 &&
    !path.includes('\0') &&
    !path.includes('\\') &&
    posix.normalize(path) === path &&
    !posix.isAbsolute(path) &&
    path !== '.' &&
    path.split('/').every((part) => part !== '' && part !== '..' && part !== '.')
  );
}

export class Upload {
  readonly #files = new Map<string, string>();

  /** @param files by their paths, which must be upload paths. */
  constructor(files: Readonly<Record<string, string>>) {
    for (const [path, text] of Object.entries(files)) {
      this.#files.set(posix.join(UPLOAD_FOLDER, path), text);
    }
  }

  /**
   * @param specifier as an import has it.
   * @param importer absolute, in the upload.
   * @returns the absolute path of a file of the upload.
   */
  resolve(specifier: string, importer: string): string | undefined {
    if (/^\.{0,2}(\/|$)/.test(specifier)) {
      return this.#file(posix.resolve(posix.dirname(importer), specifier));
    }
    return specifier.startsWith('#')
      ? this.#ownImport(specifier, importer)
      : this.#inPackage(specifier, importer);
  }

  read(path: string): string | undefined {
    return this.#files.get(path);
  }

  /** A file itself, with an ending that was left out, or the index of a folder. */
  #file(path: string): string | undefined {
    const exact = ENDINGS.map((ending) => path + ending).find((file) => this.#files.has(file));
    if (exact !== undefined) {
      return exact;
    }
    // TypeScript imports its own files by the names that they are compiled to.
    const source = path.replace(/\.([mc]?)jsx?$/, '.$1ts');
    if (this.#files.has(source)) {
      return source;
    }
    return ENDINGS.map((ending) => `${path}/index${ending}`).find((file) => this.#files.has(file));
  }

  #inPackage(specifier: string, importer: string): string | undefined {
    const [, name, rest = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
    if (name === undefined) {
      return undefined;
    }
    for (const folder of foldersAbove(importer)) {
      const root = `${folder}/node_modules/${name}`;
      const found = this.#entryOf(root, rest);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }

  /** @param rest behind the package's name: empty, or with a slash. */
  #entryOf(root: string, rest: string): string | undefined {
    const manifest = this.#manifest(root);
    if (manifest?.exports !== undefined) {
      const [target] = resolveExports(manifest, `.${rest}`, CONDITIONS) ?? [];
      return target === undefined ? undefined : this.#file(posix.resolve(root, target));
    }
    if (rest !== '') {
      return this.#file(root + rest);
    }
    const main = manifest === undefined ? undefined : legacy(manifest, { fields: FIELDS });
    return typeof main === 'string' ? this.#file(posix.resolve(root, main)) : this.#file(root);
  }

  #ownImport(specifier: string, importer: string): string | undefined {
    for (const folder of foldersAbove(importer)) {
      const manifest = this.#manifest(folder);
      if (manifest !== undefined) {
        const [target] = resolveImports(manifest, specifier, CONDITIONS) ?? [];
        return target === undefined
          ? undefined
          : target.startsWith('.')
            ? this.#file(posix.resolve(folder, target))
            : this.#inPackage(target, importer);
      }
    }
    return undefined;
  }

  #manifest(folder: string): Manifest | undefined {
    const text = this.#files.get(`${folder}/package.json`);
    return text === undefined ? undefined : (JSON.parse(text) as Manifest);
  }
}

interface Manifest {
  readonly name: string;
  readonly exports?: string;
  readonly [field: string]: unknown;
}

/** The folder of a file and those around it, as far as the upload's own. */
function foldersAbove(file: string): string[] {
  const folders: string[] = [];
  for (let folder = posix.dirname(file); folder.startsWith(UPLOAD_FOLDER); ) {
    folders.push(folder);
    folder = posix.dirname(folder);
  }
  return folders;
}

/** Gives esbuild the upload's files, and no others. */
export function uploadPlugin(upload: Upload): Plugin {
  return {
    name: 'upload',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
        const found = kind === 'entry-point' ? path : resolveSafely(upload, path, importer);
        return found !== undefined && upload.read(found) !== undefined
          ? { path: found, namespace: NAMESPACE }
          : { errors: [{ text: `"${path}" is not in the upload` }] };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: upload.read(path) ?? '',
        loader: LOADERS[posix.extname(path)] ?? 'text',
      }));
    },
  };
}

/** A package.json that is none, or exports nothing by that name, is a file that cannot be found. */
function resolveSafely(upload: Upload, path: string, importer: string): string | undefined {
  try {
    return upload.resolve(path, importer);
  } catch {
    return undefined;
  }
}
