/** The parts of a supervisor that need no processes. */
import { openSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { ERRORS, type ErrorCode, HatcheryError } from '../../src/errors.js';
import { prepareFunction } from '../../src/fabric/prepared.js';
import { Images } from '../../src/image/images.js';
import { Counts } from '../../src/statistics/counts.js';
import { MOST_TOLD, Teller } from '../../src/statistics/teller.js';
import { Backoff } from '../../src/supervisor/backoff.js';
import { ConnectionTable, tableBytes } from '../../src/supervisor/connection-table.js';
import { fromWire, isFromWorker, toWire } from '../../src/supervisor/messages.js';
import { pack, piecesOf, Unpacking } from '../../src/supervisor/packed.js';
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

t.test('what a worker says is checked', (t) => {
  const driver = { name: 'kvm', detail: 'x' };
  const coldStart = { load: 1 };
  for (const message of [
    { type: 'ready', driver },
    { type: 'ready', driver: { name: 'kvm' } },
    { type: 'staged' },
    { type: 'committed', started: { name: 'a', strategy: 'reset', coldStart } },
    { type: 'failed', error: toWire(new HatcheryError('KVM_UNAVAILABLE', { reason: 'x' })) },
    { type: 'failed', error: toWire(new TypeError('x')) },
    { type: 'closed', slot: 1 },
  ]) {
    t.ok(isFromWorker(JSON.parse(JSON.stringify(message))), message.type);
  }
  for (const message of [
    null,
    17,
    'ready',
    {},
    { type: 'ready' },
    { type: 'closed', slot: '1' },
    { type: 'failed', error: { code: 'toString', details: {}, causes: [] } },
    { type: 'failed', error: { code: 'INTERNAL', details: { a: {} }, causes: [] } },
    { type: 'committed', started: { name: 'a', strategy: 'none', coldStart } },
  ]) {
    t.notOk(isFromWorker(message), JSON.stringify(message));
  }
  t.end();
});

t.test('what a worker says that it has counted is checked', (t) => {
  const counts = new Counts().take();
  const load = { waiting: 0, queueLimit: 9, running: 1, limit: 4, spawned: 0 };
  const pool = { name: 'a', running: 1, ready: 2, waiting: 3 };
  const good = { rows: [{ name: 'a', counts }, { counts }], pools: [pool], load, hasMore: true };
  const says = (told: object) =>
    isFromWorker(JSON.parse(JSON.stringify({ type: 'told', call: 1, told })));
  t.ok(says(good));
  t.ok(says({ rows: [], pools: [], load, hasMore: false }));
  t.ok(says(new Teller({ load, function: () => undefined, functions: () => [] }).tell()));
  const many = (count: number) => new Array(count);
  for (const bad of [
    {},
    { ...good, rows: [{ name: 1, counts }] },
    { ...good, rows: [{ name: 'a', counts: counts.slice(1) }] },
    { ...good, rows: [{ name: 'a', counts: [...counts, 0] }] },
    { ...good, rows: [{ name: 'a', counts: [-1, ...counts.slice(1)] }] },
    { ...good, rows: [{ name: 'a', counts: [null, ...counts.slice(1)] }] },
    { ...good, rows: many(MOST_TOLD + 1).fill({ name: 'a', counts }) },
    { ...good, pools: many(MOST_TOLD + 1).fill(pool) },
    { ...good, pools: [{ ...pool, ready: -1 }] },
    { ...good, pools: [{ ...pool, name: undefined }] },
    { ...good, load: { ...load, running: 1e300 } },
    { ...good, load: { ...load, limit: '4' } },
    { ...good, hasMore: 1 },
  ]) {
    t.notOk(says(bad), JSON.stringify(bad).slice(0, 60));
  }
  const endless = JSON.stringify({ type: 'told', call: 1, told: good }).replace(
    '"running":1',
    '"running":1e999',
  );
  t.notOk(isFromWorker(JSON.parse(endless)), 'a number without an end');
  t.end();
});

t.test('a prepared function survives JSON', async (t) => {
  const images = new Images();
  const unpacking = new Unpacking();
  const code = { name: 'x', source: 'export default { fetch() {} }' };
  for (const definition of [code, { name: 'x', image: 'hello' }]) {
    const prepared = await prepareFunction(definition, images);
    for (const piece of piecesOf(prepared)) {
      unpacking.add(JSON.parse(JSON.stringify(piece)));
    }
    const back = unpacking.finish(JSON.parse(JSON.stringify(pack(prepared))));
    t.same(Buffer.compare(Buffer.from(back.image.bytes), Buffer.from(prepared.image.bytes)), 0);
    t.equal(
      String(back.bundle?.code),
      String(prepared.bundle && Buffer.from(prepared.bundle.code)),
    );
    t.same(JSON.stringify(back.definition), JSON.stringify(prepared.definition));
    t.equal(back.workingFolder, process.cwd());
  }
});

t.test('the table is the same memory for both', (t) => {
  const addon = loadProcessAddon();
  const { descriptor, memory } = addon.createTable(tableBytes(1000));
  const [mine, theirs] = [memory, addon.mapTable(descriptor)].map(
    (shared) => new ConnectionTable(shared),
  ) as [ConnectionTable, ConnectionTable];
  theirs.beat();
  theirs.beat();
  t.equal(mine.heartbeats, 2);
  theirs.noteReceived(1000, 2 ** 40);
  theirs.noteWritten(1000, 7);
  t.same(mine.read(1000), { received: 2 ** 40, written: 7 });
  mine.clear(1000);
  t.same(theirs.read(1000), { received: 0, written: 0 });
  const failure = (work: () => unknown) => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  t.equal(mine.end, 1001);
  for (const other of [0x7fff, openSync('/etc/passwd', 'r')]) {
    t.match(
      failure(() => addon.mapTable(other)),
      { call: 'fcntl(F_GET_SEALS)' },
    );
  }
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
