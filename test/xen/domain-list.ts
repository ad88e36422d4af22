/** What the host's own tools say of its domains. */

import { execFileSync } from 'node:child_process';
import { until } from './patience.js';

/** A row of `xl list -v`. */
export interface Listed {
  readonly name: string;
  readonly domid: number;
  readonly uuid: string;
  readonly dying: boolean;
}

/** What `xl list -v` shows besides Dom0 now, but for what is dying. */
export function livingDomains(): Listed[] {
  return rows().filter(({ dying }) => !dying);
}

/** The same, once nothing is dying any more: who makes and drops domains all the time must have ended. */
export function listDomains(): Promise<Listed[]> {
  return until('no domain is dying', async () => {
    const domains = rows();
    return !domains.some(({ dying }) => dying) && domains;
  });
}

function rows(): Listed[] {
  const table = execFileSync('xl', ['list', '-v'], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) => {
      const [name = '', domid, , , state = '', , uuid = ''] = row.split(/\s+/);
      return { name, domid: Number(domid), uuid, dying: state.endsWith('d') };
    });
}

/** The names below a path in xenstore. */
export const storeList = (path: string) =>
  execFileSync('xenstore-list', [path], { encoding: 'utf8' }).trim().split('\n');
