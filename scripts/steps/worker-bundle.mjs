// All modules of a worker process in a few files: a worker that replaces a dead one would spend half of
// its time with finding and reading some 250 (docs/architecture.md, Processes).
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { licencesOf } from './licences.mjs';
import { at, ROOT } from './root.mjs';

const ENTRY = 'dist/src/supervisor/worker.js';
/** Also in src/supervisor/worker-process.ts. */
const FOLDER = 'dist/src/supervisor/bundle';

/**
 * Loaded where they are used, which is not in a worker (pino-pretty: only with a terminal): even
 * parsing them takes time.
 */
const APART = [
  'esbuild',
  'pino-pretty',
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
];

function digest() {
  const files = filesBelow(['dist/src', 'scripts/steps/worker-bundle.mjs'], (file) =>
    file.endsWith('js'),
  ).filter((file) => !file.startsWith(at(FOLDER)));
  return digestOf(files, [lockedVersion('esbuild'), readFileSync(at('package-lock.json'), 'utf8')]);
}

/** A module's own address stays where the module was: files are found by it. */
const keepAddresses = {
  name: 'keep addresses',
  setup(build) {
    build.onLoad({ filter: /\/dist\/src\/.*\.js$/ }, ({ path: file }) => {
      const address = JSON.stringify(path.relative(at(FOLDER), file));
      const text = readFileSync(file, 'utf8');
      return {
        contents: text.replaceAll('import.meta.url', `new URL(${address}, import.meta.url).href`),
      };
    });
  },
};

/** @type {import('./step.mjs').Step} */
export const workerBundleStep = {
  name: 'worker',
  title: 'its modules in a few files',
  remedy: 'build the rest first: "npm run build:ts"',
  isCurrent: () => existsSync(at(FOLDER, 'worker.mjs')) && isStamped('worker-bundle', digest()),
  async run() {
    // Only now: it needs the npm packages.
    const { build } = await import('esbuild');
    rmSync(at(FOLDER), { recursive: true, force: true });
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: [ENTRY],
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      outdir: FOLDER,
      outExtension: { '.js': '.mjs' },
      chunkNames: '[name]-[hash]',
      minifyWhitespace: true,
      lineLimit: 120,
      external: APART,
      plugins: [keepAddresses],
      banner: {
        js: `import { createRequire as createBundleRequire } from 'node:module';
const require = createBundleRequire(import.meta.url);`,
      },
      metafile: true,
      logLevel: 'warning',
    });
    writeFileSync(at(FOLDER, 'LICENCES'), licencesOf(Object.keys(metafile.inputs)));
    stamp('worker-bundle', digest());
  },
};
