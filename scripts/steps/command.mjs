// Runs the tools that the steps need and keeps what they print in a file.
import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LOGS, ROOT } from './root.mjs';
import { StepFailure } from './step.mjs';

/** The path of a command on PATH, undefined if there is none. */
export function findCommand(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder || '.', name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/**
 * Runs a command to its end; its output goes to build/logs/NAME.log.
 *
 * @param {string} name of the log
 * @param {string[]} command the program and its arguments
 * @param {{env?: Record<string, string>, cwd?: string, append?: boolean, remedy?: string}} [options]
 * @returns {Promise<string>} the log file
 * @throws {StepFailure} when it cannot be started or ends with another code than 0
 */
export function runLogged(name, command, options = {}) {
  mkdirSync(LOGS, { recursive: true });
  const logFile = path.join(LOGS, `${name}.log`);
  const log = openSync(logFile, options.append ? 'a' : 'w');
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const fail = (message) =>
    new StepFailure(message, { lastLines: lastLines(logFile), logFile, remedy: options.remedy });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(fail(`cannot run ${program}: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(logFile);
      else reject(fail(`${path.basename(program)} ended with ${signal ?? `code ${code}`}`));
    });
  });
}

function lastLines(file, count = 20) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
}
