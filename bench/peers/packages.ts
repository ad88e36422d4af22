import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { BUILD } from '../harness/folders.js';
import { Absent } from './peer.js';

const execute = promisify(execFile);

/**
 * Node's own headers where they are installed, so that nothing is fetched for a package that is
 * compiled, and no ready-made binary from anywhere but the package registry.
 */
function compileEnvironment(): NodeJS.ProcessEnv {
  const prefix = path.dirname(path.dirname(process.execPath));
  const environment = { ...process.env, npm_config_build_from_source: 'true' };
  return existsSync(path.join(prefix, 'include/node/node.h'))
    ? { ...environment, npm_config_nodedir: prefix }
    : environment;
}

/**
 * Loads a package that this project does not depend on. It is installed into a folder of its own
 * under build/bench when it is first asked for.
 *
 * @param version exact.
 * @returns what the package exports to `require`; its types are the caller's to know.
 * @throws Absent when it cannot be installed or loaded here.
 */
export async function loadPackage(name: string, version: string): Promise<unknown> {
  const folder = path.join(BUILD, 'packages', `${name}-${version}`);
  const require = createRequire(path.join(folder, 'package.json'));
  try {
    return require(name);
  } catch {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
  }
  try {
    await execute(
      'npm',
      ['install', '--no-audit', '--no-fund', '--save-exact', `${name}@${version}`],
      { cwd: folder, env: compileEnvironment() },
    );
    return require(name);
  } catch (cause) {
    throw new Absent(`${name} ${version} cannot be installed here`, { cause });
  }
}
