/** How a command reaches a server: its URL and a token, from options, the environment or a file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { HatcheryClient } from '../../client/index.js';
import { FIRST_TOKEN_FILE } from '../../control/access/first-token.js';
import { defaultDataFolder } from '../../data-path.js';

export interface ConnectionOptions {
  readonly server?: string;
  readonly token?: string;
  readonly data?: string;
}

const SERVER_VARIABLE = 'HATCHERY_SERVER';
const TOKEN_VARIABLE = 'HATCHERY_TOKEN';

export function addConnectionOptions(command: Command): Command {
  return command
    .option(
      '--server <url>',
      `the control API (default: $${SERVER_VARIABLE}, or http://127.0.0.1:8081)`,
    )
    .option(
      '--token <token>',
      `a token for it (default: $${TOKEN_VARIABLE}, or the one in the data folder)`,
    )
    .option(
      '--data <folder>',
      "the data folder of a server on this machine (default: as for 'up')",
    );
}

/** Without a token the server says what to do. */
export function connect(options: ConnectionOptions): HatcheryClient {
  const server = options.server ?? process.env[SERVER_VARIABLE];
  const token = options.token ?? process.env[TOKEN_VARIABLE] ?? firstToken(options.data);
  return new HatcheryClient({
    ...(server === undefined ? {} : { server }),
    ...(token === undefined ? {} : { token }),
  });
}

function firstToken(folder = defaultDataFolder()): string | undefined {
  try {
    return readFileSync(join(folder, FIRST_TOKEN_FILE), 'utf8').trim();
  } catch {
    return undefined;
  }
}
