/** Makes one ES module of a function's source and its npm dependencies, with esbuild. */
import { dirname, resolve } from 'node:path';
import * as esbuild from 'esbuild';
import { HatcheryError } from '../errors.js';

export interface Bundle {
  /** The ES module, UTF-8. */
  readonly code: Uint8Array;
  /** A version 3 source map (JSON) of `code`; its sources are absolute paths. It stays on the host. */
  readonly map: string;
  /** Absolute paths of all files that went in. */
  readonly inputs: readonly string[];
  /** What esbuild took, its start included. */
  readonly milliseconds: number;
}

/** A function's source: a file, or text that may import what can be found from `folder`. */
export type Source = { readonly file: string } | { readonly text: string; readonly folder: string };

/** What the source text of a function is called in traces. */
const TEXT_NAME = 'function.ts';

/**
 * Bundles for the guest: packages are resolved as for edge platforms, and nothing of Node's is there.
 *
 * @param name of the function, for messages.
 * @throws HatcheryError BUNDLE_FAILED with `file:line:column` of the first problem.
 */
export async function bundle(name: string, source: Source): Promise<Bundle> {
  const start = performance.now();
  const folder = 'file' in source ? dirname(resolve(source.file)) : resolve(source.folder);
  const result = await build({
    ...('file' in source
      ? { entryPoints: [resolve(source.file)] }
      : {
          stdin: {
            contents: source.text,
            loader: 'ts',
            sourcefile: TEXT_NAME,
            resolveDir: folder,
          },
        }),
    absWorkingDir: folder,
    outfile: resolve(folder, 'bundle.js'),
    bundle: true,
    write: false,
    metafile: true,
    sourcemap: 'external',
    sourcesContent: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser', 'module'],
    define: { 'process.env.NODE_ENV': '"production"' },
    target: 'es2023',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
  }).catch((cause: unknown) => {
    throw bundleError(name, cause);
  });
  const [map, code] = ['.js.map', '.js'].map((ending) =>
    result.outputFiles.find((file) => file.path.endsWith(ending)),
  );
  if (map === undefined || code === undefined) {
    throw bundleError(name, new Error('esbuild gave no output'));
  }
  return {
    code: code.contents,
    map: withAbsoluteSources(map.text, folder),
    inputs: Object.keys(result.metafile.inputs).map((input) => resolve(folder, input)),
    milliseconds: performance.now() - start,
  };
}

let underWay = 0;

/** esbuild keeps a process of its own; it is stopped when the last build of several is done. */
async function build<Options extends esbuild.BuildOptions>(
  options: esbuild.SameShape<esbuild.BuildOptions, Options>,
): Promise<esbuild.BuildResult<Options>> {
  underWay += 1;
  try {
    return await esbuild.build(options);
  } finally {
    underWay -= 1;
    if (underWay === 0) {
      await esbuild.stop();
    }
  }
}

function bundleError(name: string, cause: unknown): HatcheryError {
  const problem = (cause as Partial<esbuild.BuildFailure>).errors?.[0];
  const place = problem?.location;
  const where = place ? `${place.file}:${place.line}:${place.column + 1}: ` : '';
  const what = problem?.text ?? (cause as Error).message;
  return new HatcheryError(
    'BUNDLE_FAILED',
    { function: name, problem: `${where}${what}` },
    { cause },
  );
}

function withAbsoluteSources(text: string, folder: string): string {
  const map = JSON.parse(text) as { sources: string[] };
  return JSON.stringify({ ...map, sources: map.sources.map((path) => resolve(folder, path)) });
}
