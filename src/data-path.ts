/** Where a server keeps its data if nobody says otherwise. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** `hatchery` under XDG's data home. */
export function defaultDataFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment.XDG_DATA_HOME;
  // The XDG specification has relative ones ignored.
  const home =
    given !== undefined && isAbsolute(given) ? given : join(homedir(), '.local', 'share');
  return join(home, 'hatchery');
}
