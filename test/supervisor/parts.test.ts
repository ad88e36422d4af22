/** The parts of a supervisor that need no processes. */
import fc from 'fast-check';
import t from 'tap';
import { ERRORS, type ErrorCode, HatcheryError } from '../../src/errors.js';
import { Backoff } from '../../src/supervisor/backoff.js';
import { ConnectionTable, SLOTS, TABLE_BYTES } from '../../src/supervisor/connection-table.js';
import { fromWire, toWire } from '../../src/supervisor/messages.js';
import { loadProcessAddon } from '../../src/supervisor/process-native.js';
import { drainingResponse, workerDiedResponse } from '../../src/supervisor/raw-response.js';
import { shareOf } from '../../src/supervisor/supervisor.js';
import { workerUser } from '../../src/supervisor/user.js';

t.test('the first replacement comes at once, a loop slows down and never ends', (t) => {
  const backoff = new Backoff();
  t.equal(backoff.next(50), 0);
  t.same(
    [1, 2, 3, 4].map(() => backoff.next(50)),
    [100, 200, 400, 800],
  );
  for (let i = 0; i < 2000; i += 1) backoff.next(0);
  t.equal(backoff.next(0), 30_000);
  t.equal(backoff.next(60_000), 0, 'one that lived long begins anew');
  t.equal(backoff.inARow, 0);
  t.end();
});

t.test('who workers become', (t) => {
  t.match(workerUser(undefined, 0), { user: Number, group: Number });
  t.equal(workerUser(undefined, 1000), undefined, 'only root can change that');
  t.same(workerUser('nobody', 0), { user: 65_534, group: 65_534 });
  t.same(workerUser('123456', 0), { user: 123_456, group: 123_456 });
  t.equal(workerUser('1000', 1000), undefined);
  for (const [asked, own] of [
    ['root', 0],
    ['0', 0],
    ['no-such-user', 0],
    ['99999999999', 0],
    ['-1', 0],
    ['nobody', 1000],
  ] as const) {
    t.throws(() => workerUser(asked, own), { code: 'INVALID_ARGUMENT' }, asked);
  }
  t.end();
});

t.test('errors go from process to process', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())),
      fc.array(fc.string(), { maxLength: 3 }),
      (code, details, causes) => {
        let cause: Error | undefined;
        for (const message of causes) {
          cause = new Error(message, cause && { cause });
        }
        const error = new HatcheryError(code, details, { cause });
        const wired = structuredClone(toWire(error));
        const back = fromWire(wired);
        t.equal(back.code, error.code);
        t.equal(back.message, error.message);
        t.same(wired.causes, [...causes].reverse());
        t.same(toWire(back), wired);
      },
    ),
    { numRuns: 50 },
  );
  t.equal(fromWire(toWire(new TypeError('x'))).code, 'INTERNAL');
  t.end();
});

t.test('the table is the same memory for both', (t) => {
  const addon = loadProcessAddon();
  const { descriptor, memory } = addon.createTable(TABLE_BYTES);
  const [mine, theirs] = [memory, addon.mapTable(descriptor, TABLE_BYTES)].map(
    (shared) => new ConnectionTable(shared),
  ) as [ConnectionTable, ConnectionTable];
  theirs.beat();
  theirs.beat();
  t.equal(mine.heartbeats, 2);
  theirs.noteReceived(SLOTS - 1, 2 ** 40);
  theirs.noteWritten(SLOTS - 1, 7);
  t.same(mine.read(SLOTS - 1), { received: 2 ** 40, written: 7 });
  mine.clear(SLOTS - 1);
  t.same(theirs.read(SLOTS - 1), { received: 0, written: 0 });
  const failure = (work: () => unknown) => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  t.match(
    failure(() => addon.mapTable(descriptor, TABLE_BYTES * 2)),
    { errno: 22 },
    'of another size',
  );
  t.match(
    failure(() => addon.mapTable(0x7fff, TABLE_BYTES)),
    { call: 'fstat' },
  );
  for (const other of [descriptor, -1]) {
    t.match(
      failure(() => addon.connectionBytes(other)),
      { call: 'getsockopt(TCP_INFO)' },
    );
  }
  t.end();
});

t.test('workers have together what the server is to have', (t) => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(1e6), fc.integer({ min: 1, max: 64 }), (a, b, workers) => {
      const whole = { concurrency: a, queue: b, queueMilliseconds: 7, instances: a };
      const shares = Array.from({ length: workers }, (_, i) => shareOf(whole, i, workers));
      for (const name of ['concurrency', 'queue', 'instances'] as const) {
        const counts = shares.map((share) => share[name]);
        t.equal(
          counts.reduce((sum, count) => sum + count, 0),
          whole[name],
        );
        t.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      }
      t.ok(shares.every((share) => share.queueMilliseconds === 7));
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test('responses of the supervisor’s own', (t) => {
  for (const [text, status, code] of [
    [workerDiedResponse(), 502, 'WORKER_DIED'],
    [drainingResponse(), 503, 'DRAINING'],
  ] as const) {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    t.match(head, new RegExp(`^HTTP/1.1 ${status} [\\w ]+\\r\\nConnection: close\\r\\n`));
    t.match(head, `Content-Length: ${Buffer.byteLength(body)}`);
    t.match(JSON.parse(body), { code, message: String, requestId: String });
  }
  t.match(drainingResponse(), 'Retry-After: 1');
  t.end();
});
