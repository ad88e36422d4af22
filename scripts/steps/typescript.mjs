// TypeScript to dist/.
import { chmodSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { at } from './root.mjs';

/** What runs in browsers has types of its own. */
export const PAGES = 'src/zerg/browser';
const TSC = [process.execPath, at('node_modules/typescript/bin/tsc')];
const SOURCES = ['src', 'test', 'bench', 'examples'];

function digest() {
  const files = filesBelow([...SOURCES, 'tsconfig.json'], (file) => /\.(ts|json)$/.test(file));
  const packages = ['typescript', '@types/node', 'tap', 'fastify', 'commander'];
  return digestOf(files, packages.map(lockedVersion));
}

/** Removes from dist/ what came from sources that are gone: a deleted test must not run. */
export function removeStale() {
  const outputs = filesBelow(
    SOURCES.map((folder) => path.join('dist', folder)),
    (file) => /\.(js|js\.map|d\.ts)$/.test(file),
  );
  for (const file of outputs) {
    const source = path.relative(at('dist'), file).replace(/\.(js|js\.map|d\.ts)$/, '.ts');
    if (!existsSync(at(source))) rmSync(file);
  }
}

/** @type {import('./step.mjs').Step} */
export const typescriptStep = {
  name: 'typescript',
  title: 'TypeScript to dist/',
  remedy: 'repair the errors above; "npm run typecheck" shows them again',
  isCurrent: () => existsSync(at('dist/src/index.js')) && isStamped('typescript', digest()),
  async run() {
    const before = digest();
    removeStale();
    // Without its record tsc would write nothing, even where outputs were deleted.
    if (!existsSync(at('dist/src/index.js')))
      for (const record of ['dist/.tsbuildinfo', 'dist/.tsbuildinfo-browser'])
        rmSync(at(record), { force: true });
    await runLogged('typescript', TSC);
    await runLogged('typescript-of-pages', [...TSC, '--project', PAGES]);
    chmodSync(at('dist/src/cli/main.js'), 0o755);
    stamp('typescript', before);
  },
};
