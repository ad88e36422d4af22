// Runs when the package is installed somewhere: an addon that it brings is used where it loads, and
// compiled where it does not. Those for Xen load with one version of Xen only; they are compiled where
// its headers are, and elsewhere left alone. In a checkout "npm start" and "npm run build" do all of this.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildTarget, canBuild, RELEASE, TARGETS } from './steps/addon.mjs';
import { at } from './steps/root.mjs';
import { StepFailure } from './steps/step.mjs';

/** Why an addon cannot be loaded, undefined if it can. */
function problem(target) {
  try {
    createRequire(import.meta.url)(at(RELEASE, `${target}.node`));
    return undefined;
  } catch (error) {
    return error.message.split('\n')[0];
  }
}

async function install(target) {
  const before = problem(target);
  if (before === undefined) return;
  console.log(`hatchery: compiling ${target}, as it does not load here (${before})`);
  try {
    await buildTarget(target, { strict: false });
    const after = problem(target);
    if (after !== undefined) throw new StepFailure(after);
    console.log('hatchery: compiled');
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    // Not an error of the installation: what is missing says so when it is asked for.
    console.warn(
      [
        `hatchery: it cannot be compiled: ${error.message}`,
        ...error.lastLines.map((line) => `    ${line}`),
        'hatchery: install g++, make and python3, then run "npm rebuild hatchery"',
      ].join('\n'),
    );
  }
}

if (!existsSync(at('src/index.ts'))) {
  for (const target of TARGETS.filter(canBuild)) await install(target);
}
