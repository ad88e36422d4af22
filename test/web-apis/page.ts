import { readFileSync } from 'node:fs';

export type State = 'supported' | 'partly' | 'absent';

/** A line of docs/web-apis.md. */
export interface Line {
  readonly name: string;
  readonly state: State;
  readonly difference: string;
}

const ROW = /^\| `([^`]+)` \| (supported|partly|absent) \| (.*?) ?\|$/gm;

/** All lines of the page's tables, in their order. Found from dist/test/web-apis. */
export function readPage(): Line[] {
  const text = readFileSync(new URL('../../../docs/web-apis.md', import.meta.url), 'utf8');
  return [...text.matchAll(ROW)].map(([, name, state, difference]) => ({
    name: name as string,
    state: state as State,
    difference: difference as string,
  }));
}
