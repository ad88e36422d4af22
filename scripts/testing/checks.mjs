// Lint and types, as commands whose output is kept.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { runLogged } from '../steps/command.mjs';
import { DASHBOARD } from '../steps/dashboard.mjs';
import { at } from '../steps/root.mjs';
import { StepFailure } from '../steps/step.mjs';
import { PAGES } from '../steps/typescript.mjs';

const TSC = [
  process.execPath,
  at('node_modules/typescript/bin/tsc'),
  '--noEmit',
  '--pretty',
  'false',
];

function checks() {
  const all = [
    [
      'lint',
      [
        process.execPath,
        at('node_modules/@biomejs/biome/bin/biome'),
        'ci',
        '--error-on-warnings',
        '--colors=off',
      ],
    ],
    ['types', [...TSC, '--project', '.']],
    ['types of pages', [...TSC, '--project', PAGES]],
    ['types of the dashboard', [...TSC, '--project', DASHBOARD]],
  ];
  const prelude = 'images/js/prelude/tsconfig.json';
  if (existsSync(at(prelude))) all.push(['types of the prelude', [...TSC, '--project', prelude]]);
  return all;
}

/**
 * Runs them all.
 *
 * @param {(name: string, failure: string | undefined) => void} onResult `failure` is their output
 */
export async function runChecks(onResult) {
  for (const [name, command] of checks()) {
    try {
      await runLogged(name.replaceAll(' ', '-'), command);
      onResult(name, undefined);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      onResult(name, (await readFile(error.logFile, 'utf8')).trimEnd());
    }
  }
}
