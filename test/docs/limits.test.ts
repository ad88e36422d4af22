/** docs/limits.md says what the limits are: names, flags, defaults, errors and their status. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { LIMIT_OPTIONS } from '../../src/cli/limit-options.js';
import { parseBytes } from '../../src/cli/values.js';
import { ERRORS } from '../../src/errors.js';
import { defaultAdmission } from '../../src/fabric/default-admission.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/fabric/limits.js';

const page = readFileSync(
  fileURLToPath(new URL('../../../docs/limits.md', import.meta.url)),
  'utf8',
);
const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const rows = (text: string) =>
  [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .slice(2);

test('every limit of an instance is there, as it is', async (t) => {
  const table = rows(section('What one instance may use'));
  t.strictSame(new Set(table.map(([, name]) => name)), new Set(Object.keys(DEFAULT_LIMITS)));
  for (const [, name, flag, value, errors = '', statuses = ''] of table) {
    const limit = name as keyof Limits;
    t.equal(flag, LIMIT_OPTIONS[limit].flag, `the flag of ${name}`);
    t.equal(parseBytes(value as string), DEFAULT_LIMITS[limit], `the default of ${name}`);
    const codes = errors.replace(', in the guest', '').split(', ');
    codes.forEach((code, index) => {
      t.ok(code in ERRORS, code);
      const status = statuses.split(', ')[index];
      if (status !== undefined && status !== '') {
        t.equal(Number(status), ERRORS[code as keyof typeof ERRORS].status, code);
      }
    });
  }
});

test('so are those of admission', async (t) => {
  const defaults = defaultAdmission();
  for (const [, name = '', , value] of rows(section('How many'))) {
    const limit = name as keyof typeof defaults;
    t.ok(limit in defaults, name);
    if (limit !== 'concurrency') {
      t.equal(Number(value), defaults[limit], `the default of ${name}`);
    }
  }
});

test('the codes in the text exist', async (t) => {
  for (const [, code = ''] of page.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) {
    t.ok(code in ERRORS, code);
  }
});
