/** What the host's own tools say of its domains. */

import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** A row of `xl list -v`. */
export interface Listed {
  readonly name: string;
  readonly domid: number;
  readonly uuid: string;
}

/** What `xl list -v` shows besides Dom0, once nothing of that is dying any more. */
export async function listDomains(): Promise<Listed[]> {
  for (;;) {
    const table = execFileSync('xl', ['list', '-v'], { encoding: 'utf8' });
    const rows = table.trim().split('\n').slice(2);
    const domains = rows.map((row) => {
      const [name = '', domid, , , state = '', , uuid = ''] = row.split(/\s+/);
      return { name, domid: Number(domid), uuid, dying: state.endsWith('d') };
    });
    if (!domains.some(({ dying }) => dying)) {
      return domains.map(({ name, domid, uuid }) => ({ name, domid, uuid }));
    }
    await sleep(10);
  }
}

/** The names below a path in xenstore. */
export const storeList = (path: string) =>
  execFileSync('xenstore-list', [path], { encoding: 'utf8' }).trim().split('\n');
