// Puts the parts of the lab together and runs a command in it.
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { appendFile, copyFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { StepFailure } from '../steps/step.mjs';
import { dom0 } from './dom0.mjs';
import { testGuests } from './guests.mjs';
import { runMachine } from './machine.mjs';
import { nodeArchive } from './node.mjs';
import { packagesArchive } from './npm-packages.mjs';
import { writeProject } from './project.mjs';

/** Of an initramfs, about. */
const INITRAMFS_BYTES = 400 * 2 ** 20;

/** In memory, if there is room: a disk takes as long to write it as Xen to boot. */
function temporaryFolder() {
  const memory = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > INITRAMFS_BYTES ? memory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Most commands need none of them, so that these work where a guest does not compile. */
async function guestsIfBuilt(note) {
  try {
    return await testGuests();
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    note(`there are no test guests: ${error.message} (${error.logFile})`);
    return undefined;
  }
}

/**
 * Makes the parts that the cache lacks.
 *
 * @param {(text: string) => void} note
 */
export async function prepareLab(note = () => {}) {
  const files = await dom0();
  return {
    files,
    constant: [files.archive, await nodeArchive(), await packagesArchive()],
    guests: await guestsIfBuilt(note),
  };
}

/**
 * Runs a command in the lab.
 *
 * @param {object} task
 * @param {string[]} task.command
 * @param {Record<string, string>} [task.environment] added to Dom0's
 * @param {string[]} [task.include] files and folders of the host for Dom0's /tmp
 * @param {number} [task.memory] of the machine, MiB
 * @param {number} [task.timeout] seconds
 * @param {number} [task.silence] seconds without output after which the machine counts as standing still
 * @param {boolean} [task.counted] whether the clock counts instructions
 * @param {NodeJS.WritableStream} [task.stdout] for the command's output; this process's own by default
 * @param {NodeJS.WritableStream} [task.stderr]
 * @param {(text: string) => void} [task.note] told about each stage
 * @returns {Promise<import('./machine.mjs').Outcome>}
 */
export async function runInLab({
  command,
  environment = {},
  include = [],
  memory = 3072,
  timeout = 300,
  silence,
  counted = false,
  stdout = process.stdout,
  stderr = process.stderr,
  note = () => {},
}) {
  const start = performance.now();
  const elapsed = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const { files, constant, guests } = await prepareLab(note);
  const folder = mkdtempSync(path.join(temporaryFolder(), 'hatchery-lab-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const stop = (signal) => {
    remove();
    // QEMU ends with this process.
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  try {
    const initramfs = path.join(folder, 'initramfs');
    const project = path.join(folder, 'project');
    writeProject(project, { command, environment, include, guests });
    await copyFile(constant[0], initramfs);
    for (const part of [...constant.slice(1), project]) {
      await appendFile(initramfs, await readFile(part));
    }
    note(`packed (${elapsed()})`);
    return await runMachine({
      files,
      initramfs,
      memory,
      timeout,
      silence,
      counted,
      stdout,
      stderr,
      onProgress: (stage) => {
        // The kernel runs, so QEMU has read it.
        remove();
        note(`${stage.split(' ')[0]} (${elapsed()})`);
      },
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, stop);
    remove();
  }
}
