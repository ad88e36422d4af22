/** docs/wasi.md names each call of WASI, and none that there is not. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { WASI_CALLS } from '../images/wasi-calls.js';

const page = readFileSync(fileURLToPath(new URL('../../../docs/wasi.md', import.meta.url)), 'utf8');

t.test('the table of calls is complete', (t) => {
  const rows = page.split('## Files')[0]?.match(/^\| `.*? \|/gm) ?? [];
  const named = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  t.strictSame(named.sort(), [...WASI_CALLS].sort());
  t.end();
});
