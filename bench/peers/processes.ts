import path from 'node:path';
import { answerByProcesses } from '../harness/process-per-request.js';
import { compileProgram, isInstalled, versionOf } from '../harness/programs.js';
import { URL_TEMPLATE } from '../requests.js';
import { HANDLER } from './handler.js';
import { Absent, type OpenPeer, type Peer } from './peer.js';

/**
 * A peer that answers with a process for each request.
 *
 * @throws Absent with the first line of what it printed when it cannot answer one request.
 */
export async function openProcess(
  version: string,
  command: readonly string[],
  under: readonly string[] = [],
): Promise<OpenPeer> {
  try {
    await answerByProcesses(command, { count: 1, first: 0, under });
  } catch (cause) {
    const printed = (cause as { stderr?: string }).stderr ?? String(cause);
    throw new Absent(printed.trim().split('\n')[0], { cause });
  }
  return {
    version,
    answer: (count, first) => answerByProcesses(command, { count, first, under }),
  };
}

/** @throws Absent when a command is not on the path. */
export function demand(command: string): void {
  if (!isInstalled(command)) throw new Absent(`${command} is not installed`);
}

export const posixSpawn: Peer = {
  name: 'posix_spawn',
  wall: 'a process (a static C program, not JavaScript)',
  count: 300,
  open: () => openProcess('', [compileProgram('hello'), URL_TEMPLATE]),
};

export const nodeEval: Peer = {
  name: 'node -e',
  wall: 'a process',
  count: 4,
  open: () =>
    openProcess(process.version, [
      process.execPath,
      '-e',
      `${HANDLER} process.stdout.write(handle(process.argv[1]))`,
      URL_TEMPLATE,
    ]),
};

/** The command that runs a program of ours in bubblewrap's namespaces. */
export function bubblewrapCommand(): string[] {
  const program = compileProgram('hello');
  const root = path.dirname(program);
  return ['bwrap', '--unshare-all', '--ro-bind', root, '/', '/hello', URL_TEMPLATE];
}

export const bubblewrap: Peer = {
  name: 'bwrap',
  wall: 'a process in namespaces (a static C program)',
  count: 50,
  async open() {
    demand('bwrap');
    return openProcess(versionOf('bwrap'), bubblewrapCommand());
  },
};
