/** Makes one ES module of an upload, with esbuild; see src/image/bundle.ts for what a guest can take. */
import { posix } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import * as esbuild from 'esbuild';
import { UPLOAD_FOLDER, Upload, uploadPlugin } from './upload.js';

/** What is to be bundled. */
export type BundleOrder =
  | { readonly entry: string; readonly files: Readonly<Record<string, string>> }
  | { readonly code: string; readonly map: string | undefined };

export interface BundledUpload {
  readonly module: string;
  /** A source map whose sources are absolute paths below {@link UPLOAD_FOLDER}. */
  readonly map: string;
}

/** What a bundle that somebody else made is called. */
const BUNDLE_NAME = 'bundle.js';

/** @throws Error with `file:line:column` of the first problem */
export async function bundleUpload(order: BundleOrder): Promise<BundledUpload> {
  if ('files' in order) {
    return build(order.entry, order.files);
  }
  // It is taken as it is; building it shows that it parses and imports nothing.
  const built = await build(BUNDLE_NAME, { [BUNDLE_NAME]: order.code });
  const map = order.map === undefined ? undefined : checkedMap(order.map);
  return map === undefined ? built : { module: order.code, map };
}

async function build(
  entry: string,
  files: Readonly<Record<string, string>>,
): Promise<BundledUpload> {
  const result = await esbuild
    .build({
      entryPoints: [posix.join(UPLOAD_FOLDER, entry)],
      absWorkingDir: '/',
      outfile: posix.join(UPLOAD_FOLDER, 'out.js'),
      bundle: true,
      write: false,
      sourcemap: 'external',
      sourcesContent: false,
      format: 'esm',
      platform: 'neutral',
      define: { 'process.env.NODE_ENV': '"production"' },
      target: 'es2023',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
      // Else it would look for files of that name.
      tsconfigRaw: '{}',
      plugins: [uploadPlugin(new Upload(files))],
    })
    .catch((error: unknown) => {
      throw new Error(problemOf(error));
    });
  const text = (ending: string) =>
    result.outputFiles.find((file) => file.path.endsWith(ending))?.text ?? '';
  return { module: text('.js'), map: placed(JSON.parse(text('.js.map')) as SourceMap) };
}

function problemOf(error: unknown): string {
  const [problem] = (error as Partial<esbuild.BuildFailure>).errors ?? [];
  if (problem === undefined) {
    return (error as Error).message;
  }
  const { text, location } = problem;
  return location === null
    ? text
    : `${nameOf(location.file)}:${location.line}:${location.column + 1}: ${text}`;
}

interface SourceMap {
  readonly sources: readonly string[];
}

/** Sources are named as `upload:/upload/a.ts`, relative to nothing. */
function placed(map: SourceMap): string {
  const sources = map.sources.map((source) => posix.join(UPLOAD_FOLDER, nameOf(source)));
  return JSON.stringify({ ...map, sources });
}

function nameOf(file: string): string {
  return file.replace(/^(?:\.\.\/)*(?:upload:)?(?:\/?upload\/)?/, '');
}

/** @throws Error where it is no source map: it will be read when a trace comes, and must not fail then */
function checkedMap(text: string): string {
  try {
    const map = JSON.parse(text) as SourceMap;
    const sources = map.sources.map((source) =>
      posix.join(UPLOAD_FOLDER, posix.normalize(`/${source}`)),
    );
    const checked = JSON.stringify({ ...map, sources, sourcesContent: undefined });
    originalPositionFor(new TraceMap(checked), { line: 1, column: 0 });
    return checked;
  } catch (error) {
    throw new Error(`the source map cannot be read: ${(error as Error).message}`);
  }
}
