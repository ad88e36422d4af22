/**
 * A process that gives up its rights, then runs one command, and ends with its exit code. Its only
 * argument is an order in JSON. What the command prints is this process's.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { lockDown } from '../../supervisor/lock-down.js';
import { loadProcessAddon } from '../../supervisor/process-native.js';
import type { CommandOrder } from './sandbox.js';

const order = JSON.parse(process.argv[2] ?? '') as CommandOrder;
const { user, limits, readable, writable, programs, command, workingFolder, environment } = order;
const [program = '', ...args] = command;

// Bound before anything that a stranger wrote is looked at.
await lockDown(loadProcessAddon(), {
  user,
  openFiles: limits.openFiles,
  supervisor: process.ppid,
  onlyReadable: readable,
  builder: {
    ...{ programs, writable },
    ...{ dataBytes: limits.dataBytes, cpuSeconds: limits.cpuSeconds, fileBytes: limits.fileBytes },
  },
});

const child = spawn(program, args, {
  ...{ cwd: workingFolder, env: environment },
  stdio: ['ignore', 'inherit', 'inherit'],
});
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`, () => process.exit(1));
});
child.once('exit', (code, signal) => {
  // As shells have it.
  process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']);
});
