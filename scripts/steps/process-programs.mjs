// The programs of the process driver: native/process_guests/programs, to dist/process.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, stamp } from './digest.mjs';
import { at } from './root.mjs';

const SOURCES = 'native/process_guests/programs';
const OUT = 'dist/process';
const MADE = 'build/process';
const PROGRAMS = ['hatchery-launcher', 'hatchery-spawner'];

const digest = () => digestOf(filesBelow([SOURCES, 'images/abi']), []);

/** @type {import('./step.mjs').Step} */
export const processProgramsStep = {
  name: 'process programs',
  title: `${OUT}: what starts and becomes guests without a hypervisor`,
  optional: true,
  remedy: 'without them the driver process cannot work; "npm run build:addon" tries again',
  isCurrent: () =>
    PROGRAMS.every((name) => existsSync(at(OUT, name))) && isStamped('process-programs', digest()),
  async run() {
    const before = digest();
    for (const folder of [at(OUT), at(MADE)]) mkdirSync(folder, { recursive: true });
    await runLogged('process-programs', ['bash', at(SOURCES, 'build.sh'), at(MADE)]);
    // At one go: one of them may be running.
    for (const name of PROGRAMS) renameSync(path.join(at(MADE), name), at(OUT, name));
    stamp('process-programs', before);
  },
};
