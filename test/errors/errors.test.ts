import { test } from 'tap';
import { ERRORS, HatcheryError } from '../../src/errors.js';

test('an error has the code, status and message of the table', async (t) => {
  const cause = new Error('inner');
  const error = new HatcheryError(
    'DRIVER_FAILED',
    { call: 'KVM_RUN', errno: 'EINVAL' },
    { cause, requestId: 'r1' },
  );
  t.equal(error.code, 'DRIVER_FAILED');
  t.equal(error.status, 500);
  t.equal(error.message, 'The hypervisor refused KVM_RUN (EINVAL). Run `hatchery doctor`.');
  t.equal(error.cause, cause);
  t.ok(error instanceof Error);
});

test('its JSON holds neither stack nor cause, and only what the table exposes', async (t) => {
  const error = new HatcheryError(
    'FUNCTION_THREW',
    { name: 'TypeError', stack: 'at secret (file.ts:1:1)' },
    { cause: new Error('secret'), requestId: 'r2' },
  );
  t.strictSame(JSON.parse(JSON.stringify(error)), {
    code: 'FUNCTION_THREW',
    message: ERRORS.FUNCTION_THREW.message,
    requestId: 'r2',
  });
  t.strictSame(
    new HatcheryError('DEADLINE_EXCEEDED', { limit: 5, function: 'f' }).toJSON().details,
    {
      limit: 5,
    },
  );
});

test('an error of unknown origin is INTERNAL, with it as the cause', async (t) => {
  const cause = new TypeError('oops');
  const error = HatcheryError.from(cause);
  t.equal(error.code, 'INTERNAL');
  t.equal(error.cause, cause);
  t.notMatch(JSON.stringify(error), /oops/);
  t.equal(HatcheryError.from(error), error);
});

test('every message says what is filled in, and every status is an error', async (t) => {
  for (const [code, kind] of Object.entries(ERRORS)) {
    t.ok(kind.status >= 400 && kind.status <= 599, code);
    for (const exposed of 'exposes' in kind ? kind.exposes : []) {
      t.match(kind.message, new RegExp(`\\{${exposed}\\}`), `${code} names ${exposed}`);
    }
  }
});
