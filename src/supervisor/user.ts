/** Who the workers are. */
import { readFileSync } from 'node:fs';
import { HatcheryError } from '../errors.js';

export interface User {
  readonly user: number;
  readonly group: number;
}

/** Taken where it exists. */
const OWN_NAME = 'hatchery';
const NOBODY: User = { user: 65_534, group: 65_534 };
const HIGHEST_ID = 0xffff_fffe;

/**
 * @param asked a name or a number; `undefined`: the user `hatchery` if there is one, else nobody.
 * @returns whom a worker becomes; `undefined`: it stays who it is, as only root can change that.
 * @throws HatcheryError INVALID_ARGUMENT where there is no such user, it is root, or who runs this
 *   may not become it
 */
export function workerUser(asked: string | undefined, own = process.getuid?.()): User | undefined {
  const user = asked === undefined ? (entry(OWN_NAME) ?? NOBODY) : userOf(asked);
  if (user.user === 0) {
    throw invalid('a worker may not be root');
  }
  if (own === 0) {
    return user;
  }
  if (asked !== undefined && user.user !== own) {
    throw invalid(`only root can let workers be ${asked}`);
  }
  return undefined;
}

function userOf(asked: string): User {
  const known = entry(asked);
  if (known !== undefined) {
    return known;
  }
  const number = /^\d{1,10}$/.test(asked) ? Number(asked) : undefined;
  if (number === undefined || number > HIGHEST_ID) {
    throw invalid(`there is no user ${asked}`);
  }
  return { user: number, group: number };
}

/** The line of /etc/passwd of a name, or of a number. */
function entry(asked: string): User | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , user, group] = line.split(':');
    if (user !== undefined && group !== undefined && (name === asked || user === asked)) {
      return { user: Number(user), group: Number(group) };
    }
  }
  return undefined;
}

function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem: `--worker-user: ${problem}` });
}
