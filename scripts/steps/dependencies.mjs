// The npm packages, exactly as the lock file has them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { runLogged } from './command.mjs';
import { digestOf } from './digest.mjs';
import { at } from './root.mjs';

// Inside node_modules, so that it goes when they go.
const MARK = 'node_modules/.hatchery-lock';

function digest() {
  const { dependencies, devDependencies, overrides } = JSON.parse(
    readFileSync(at('package.json'), 'utf8'),
  );
  return digestOf([at('package-lock.json')], [dependencies, devDependencies, overrides]);
}

function npmCommand() {
  const entry = process.env.npm_execpath;
  return entry?.endsWith('.js') ? [process.execPath, entry] : ['npm'];
}

/** @type {import('./step.mjs').Step} */
export const dependenciesStep = {
  name: 'dependencies',
  title: 'npm packages (npm ci)',
  remedy: 'check that the npm registry can be reached ("npm ping"), then run this again',
  isCurrent() {
    return existsSync(at(MARK)) && readFileSync(at(MARK), 'utf8') === digest();
  },
  async run() {
    // A release build or NODE_ENV=production would leave out the compiler.
    await runLogged('dependencies', [...npmCommand(), 'ci', '--include=dev', '--loglevel=error']);
    writeFileSync(at(MARK), digest());
  },
};
