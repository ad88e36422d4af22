// The dashboard as a browser takes it: one page, one script, one style sheet.
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { licencesOf } from './licences.mjs';
import { at, ROOT } from './root.mjs';

/** What runs in a browser, with types of its own. */
export const DASHBOARD = 'src/dashboard/browser';
/** Also in src/control/http/dashboard-files.ts. */
const FOLDER = 'dist/src/dashboard/page';

function digest() {
  const files = filesBelow([
    ...['src/dashboard', 'src/client', 'scripts/steps/dashboard.mjs'],
    'scripts/steps/licences.mjs',
  ]);
  return digestOf(files, ['esbuild', 'preact', 'uplot'].map(lockedVersion));
}

/** @type {import('./step.mjs').Step} */
export const dashboardStep = {
  name: 'dashboard',
  title: 'the page for browsers',
  remedy: 'repair the errors above; "npm run typecheck" shows more',
  isCurrent: () => existsSync(at(FOLDER, 'index.html')) && isStamped('dashboard', digest()),
  async run() {
    const before = digest();
    // Only now: it needs the npm packages.
    const { build } = await import('esbuild');
    rmSync(at(FOLDER), { recursive: true, force: true });
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: [`${DASHBOARD}/dashboard.tsx`, `${DASHBOARD}/dashboard.css`],
      tsconfig: `${DASHBOARD}/tsconfig.json`,
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: ['chrome111', 'firefox114', 'safari16.4'],
      outdir: FOLDER,
      // Not .js: what has no source beside it is removed by the TypeScript step.
      outExtension: { '.js': '.mjs' },
      minify: true,
      metafile: true,
      logLevel: 'warning',
    });
    writeFileSync(at(FOLDER, 'LICENCES'), licencesOf(Object.keys(metafile.inputs)));
    copyFileSync(at(DASHBOARD, 'index.html'), at(FOLDER, 'index.html'));
    stamp('dashboard', before);
  },
};
