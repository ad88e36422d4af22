/** WASI preview 1 in the guest, call by call, against its specification (docs.md, typenames.witx). */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { DeployedFunction } from '../../src/index.js';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import {
  type Argument,
  type CallName,
  call,
  MEMORY_BYTES,
  ModuleImages,
  make,
  peek,
  poke,
  type Step,
  send,
  words,
} from './wasi-calls.js';

const ERRNO = {
  SUCCESS: 0,
  BADF: 8,
  EXIST: 20,
  FAULT: 21,
  INVAL: 28,
  ISDIR: 31,
  NAMETOOLONG: 37,
  NOENT: 44,
  NOSPC: 51,
  NOSYS: 52,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTSOCK: 57,
  ROFS: 69,
  SPIPE: 70,
  NOTCAPABLE: 76,
} as const;

const FILE_DEVICE = 2;
const FILE_DIRECTORY = 3;
const FILE_REGULAR = 4;

const ROOT = 3;
const [RIGHT_READ, RIGHT_SEEK, RIGHT_TELL, RIGHT_WRITE] = [1n << 1n, 1n << 2n, 1n << 5n, 1n << 6n];
/** To empty a file by its path is another right than to change the size of one that is open. */
const RIGHT_PATH_SET_SIZE = 1n << 19n;
const RIGHT_SET_SIZE = 1n << 22n;
const RIGHT_READ_FOLDER = 1n << 14n;
const RIGHT_OPEN = 1n << 13n;
const READ = RIGHT_READ | RIGHT_SEEK | RIGHT_TELL | (1n << 14n) | (1n << 21n);
/** All that a file may be asked, but for the directories' own. */
const READ_WRITE = READ | RIGHT_WRITE | (1n << 8n) | (1n << 22n) | (1n << 23n) | (1n << 4n);
const [CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE] = [1, 2, 4, 8];
const APPEND = 1;

/** Places in the module's memory that the tests use. */
const [PATH, OTHER_PATH, VECTORS, RESULT, FD, BUFFER] = [0x100, 0x200, 0x300, 0x400, 0x480, 0x1000];

/** Opens a path below the root; the descriptor is at `at` then. */
function open(
  path: string,
  rights: bigint,
  flags = 0,
  { at = FD, descriptorFlags = 0 } = {},
): Step[] {
  return [
    poke(PATH, path),
    call('path_open', ROOT, 0, PATH, path.length, flags, rights, 0n, descriptorFlags, at),
  ];
}

/** Writes text to the descriptor in FD, at the offset, or where the last one ended. */
function write(text: string, offset?: bigint): Step[] {
  const args: Argument[] = [{ at: FD }, VECTORS, 1];
  return [
    poke(BUFFER, text),
    poke(VECTORS, words(BUFFER, text.length)),
    offset === undefined
      ? call('fd_write', ...args, RESULT)
      : call('fd_pwrite', ...args, offset, RESULT),
  ];
}

/** Reads from the descriptor in FD to BUFFER; the count is in RESULT. */
function read(count: number, offset?: bigint): Step[] {
  const args: Argument[] = [{ at: FD }, VECTORS, 1];
  return [
    poke(VECTORS, words(BUFFER, count)),
    offset === undefined
      ? call('fd_read', ...args, RESULT)
      : call('fd_pread', ...args, offset, RESULT),
    peek(RESULT, 4),
    peek(BUFFER, count),
  ];
}

/** A path in PATH, and a call that begins with it. */
function at(path: string, name: CallName, before: Argument[], ...rest: Argument[]): Step[] {
  return [poke(PATH, path), call(name, ...before, PATH, path.length, ...rest)];
}

const count = (n: number) => Buffer.from(words(n));
const strings = (bytes: Buffer) => bytes.toString('latin1').split('\0').slice(0, -1);

interface Entry {
  readonly name: string;
  readonly type: number;
  readonly next: bigint;
}

function entries(listing: Buffer): Entry[] {
  const found: Entry[] = [];
  for (let offset = 0; offset + 24 <= listing.length; ) {
    const bytes = listing.readUInt32LE(offset + 16);
    if (offset + 24 + bytes > listing.length) break;
    found.push({
      next: listing.readBigUInt64LE(offset),
      type: listing.readUInt8(offset + 20),
      name: listing.toString('latin1', offset + 24, offset + 24 + bytes),
    });
    offset += 24 + bytes;
  }
  return found;
}

t.test('WASI', { skip: untestable }, async (t) => {
  const images = new ModuleImages();
  t.teardown(() => images.remove());
  const image = images.buildCalls({
    'greeting.txt': 'hello, world\n',
    'folder/one.txt': '1',
    'folder/two.txt': '22',
    'folder/deep/three.txt': '333',
  });
  await using fabric = await openFabric();
  const fn: DeployedFunction = await deploy(fabric, { name: 'wasi', image });
  const calls = (...steps: Step[]) => make(fn, ...steps);
  const gives = async (t: Test, name: string, steps: Step[], expected: unknown[]) =>
    t.strictSame(await calls(...steps), expected, name);

  await t.test('arguments and environment', async (t) => {
    const [error, sizes] = await calls(call('args_sizes_get', RESULT, RESULT + 4), peek(RESULT, 8));
    t.equal(error, ERRNO.SUCCESS);
    t.ok((sizes as Buffer).readUInt32LE(0) >= 1, 'the name is an argument');
    const [, , environmentSizes] = await calls(
      call('environ_sizes_get', RESULT, RESULT + 4),
      call('environ_get', BUFFER, 0x4000),
      peek(RESULT, 8),
    );
    const number = (environmentSizes as Buffer).readUInt32LE(0);
    const bytes = (environmentSizes as Buffer).readUInt32LE(4);
    const [, text, table] = await calls(
      call('environ_get', BUFFER, 0x4000),
      peek(0x4000, bytes),
      peek(BUFFER, 8),
    );
    const variables = strings(text as Buffer);
    t.equal(variables.length, number);
    t.equal((table as Buffer).readUInt32LE(0), 0x4000);
    t.equal((table as Buffer).readUInt32LE(4), 0x4000 + (variables[0]?.length ?? 0) + 1);
    for (const variable of [
      'GATEWAY_INTERFACE=CGI/1.1',
      'REQUEST_METHOD=POST',
      'PATH_INFO=/a b',
      'QUERY_STRING=c=d',
      'SERVER_NAME=wasi.test',
    ]) {
      t.ok(variables.includes(variable), variable);
    }
  });

  await t.test('clocks and randomness', async (t) => {
    const [resolution, realtime, monotonic, later, unknown, unknownResolution, times] = await calls(
      call('clock_res_get', 0, RESULT),
      call('clock_time_get', 0, 1n, RESULT),
      call('clock_time_get', 1, 1n, RESULT + 8),
      call('clock_time_get', 1, 1n, RESULT + 16),
      call('clock_time_get', 9, 1n, RESULT),
      call('clock_res_get', 9, RESULT),
      peek(RESULT, 24),
    );
    t.strictSame([resolution, realtime, monotonic, later], [0, 0, 0, 0]);
    t.strictSame([unknown, unknownResolution], [ERRNO.INVAL, ERRNO.INVAL]);
    const [wall, first, second] = [0, 8, 16].map((at) => (times as Buffer).readBigUInt64LE(at));
    t.ok(Math.abs(Number((wall ?? 0n) / 1_000_000n) - Date.now()) < 60_000, 'the time of day');
    t.ok((first ?? 0n) > 0n && (second ?? 0n) >= (first ?? 0n), 'time goes on');
    const draw = () => calls(call('random_get', BUFFER, 32), peek(BUFFER, 32));
    const [[ok, one], [, other]] = [await draw(), await draw()];
    t.equal(ok, ERRNO.SUCCESS);
    t.notSame(one, other, 'each request has its own');
    await gives(t, 'yields', [call('sched_yield')], [ERRNO.SUCCESS]);
  });

  await t.test('what is open from the start', async (t) => {
    const status = (number: number) => [call('fd_fdstat_get', number, RESULT), peek(RESULT, 1)];
    await gives(
      t,
      'types',
      [0, 1, 2, ROOT].flatMap(status),
      [FILE_DEVICE, FILE_DEVICE, FILE_DEVICE, FILE_DIRECTORY].flatMap((type) => [
        ERRNO.SUCCESS,
        Buffer.from([type]),
      ]),
    );
    await gives(
      t,
      'the root is preopened',
      [
        call('fd_prestat_get', ROOT, RESULT),
        peek(RESULT, 8),
        call('fd_prestat_dir_name', ROOT, BUFFER, 1),
        peek(BUFFER, 1),
        call('fd_prestat_dir_name', ROOT, BUFFER, 0),
        call('fd_prestat_get', 4, RESULT),
        call('fd_prestat_get', 0, RESULT),
      ],
      [0, Buffer.from(words(0, 1)), 0, Buffer.from('/'), ERRNO.NAMETOOLONG, ERRNO.BADF, ERRNO.BADF],
    );
    await gives(
      t,
      'streams have no position',
      [call('fd_seek', 0, 0n, 0, RESULT), call('fd_tell', 1, RESULT)],
      [ERRNO.SPIPE, ERRNO.SPIPE],
    );
    await gives(
      t,
      'what is not open',
      (['fd_close', 'fd_sync', 'fd_datasync'] as const).map((name) => call(name, 77)),
      [ERRNO.BADF, ERRNO.BADF, ERRNO.BADF],
    );
    const input = await calls(poke(FD, words(0)), ...read(8));
    t.strictSame(input.slice(0, 2), [0, count(0)], 'standard input is at its end');
  });

  await t.test('files of the image', async (t) => {
    await gives(
      t,
      'reads',
      [...open('greeting.txt', READ), ...read(5), ...read(20), ...read(3)],
      [
        0,
        ...[0, count(5), Buffer.from('hello')],
        ...[0, count(8), Buffer.from(', world\n'.padEnd(20, '\0'))],
        ...[0, count(0), Buffer.from(', w')],
      ],
    );
    await gives(
      t,
      'positions',
      [
        ...open('greeting.txt', READ),
        call('fd_seek', { at: FD }, -6n, 2, RESULT),
        peek(RESULT, 8),
        ...read(5),
        call('fd_tell', { at: FD }, RESULT),
        peek(RESULT, 8),
        call('fd_seek', { at: FD }, -1n, 0, RESULT),
        call('fd_seek', { at: FD }, 0n, 7, RESULT),
        ...read(4, 1n),
        ...read(1),
      ],
      [
        0,
        ...[0, Buffer.from(words(7, 0))],
        ...[0, count(5), Buffer.from('world')],
        ...[0, Buffer.from(words(12, 0))],
        ...[ERRNO.INVAL, ERRNO.INVAL],
        ...[0, count(4), Buffer.from('ello')],
        ...[0, count(1), Buffer.from('\n')],
      ],
    );
    const [, error, status] = await calls(
      ...open('greeting.txt', READ),
      call('fd_filestat_get', { at: FD }, BUFFER),
      peek(BUFFER, 64),
    );
    t.equal(error, 0);
    t.equal((status as Buffer).readUInt8(16), FILE_REGULAR);
    t.equal((status as Buffer).readBigUInt64LE(32), 13n);
    const byPath = await calls(
      ...at('folder/two.txt', 'path_filestat_get', [ROOT, 0], BUFFER),
      peek(BUFFER + 32, 8),
    );
    t.strictSame(byPath, [0, Buffer.from(words(2, 0))]);
  });

  await t.test('what cannot be opened', async (t) => {
    const cases: [string, number, Step[]][] = [
      ['nothing of that name', ERRNO.NOENT, open('missing', READ)],
      ['nor a folder', ERRNO.NOENT, open('missing/file', READ)],
      ['an empty path', ERRNO.NOENT, open('', READ)],
      ['a file as a folder', ERRNO.NOTDIR, open('greeting.txt/x', READ)],
      ['a file where a folder is wanted', ERRNO.NOTDIR, open('greeting.txt', READ, DIRECTORY)],
      ['a slash behind a file', ERRNO.NOTDIR, open('greeting.txt/', READ)],
      ['above the root', ERRNO.NOTCAPABLE, open('../x', READ)],
      ['above the root, by a detour', ERRNO.NOTCAPABLE, open('folder/../../x', READ)],
      ['an absolute path', ERRNO.NOTCAPABLE, open('/greeting.txt', READ)],
      ['a new file among the image’s', ERRNO.ROFS, open('new', READ_WRITE, CREATE)],
      ['to write to the image’s', ERRNO.ROFS, open('greeting.txt', READ_WRITE)],
      ['to write to a folder', ERRNO.ISDIR, open('tmp', RIGHT_WRITE, DIRECTORY)],
      ['to read and write a folder', ERRNO.ISDIR, open('folder', READ | RIGHT_WRITE)],
      ['to empty a folder', ERRNO.ISDIR, open('tmp', 0n, TRUNCATE)],
      ['to empty the image’s', ERRNO.ROFS, open('greeting.txt', READ, TRUNCATE)],
      ['a name that is there', ERRNO.EXIST, open('greeting.txt', READ, CREATE | EXCLUSIVE)],
    ];
    for (const [name, errno, steps] of cases) await gives(t, name, steps, [errno]);
    const long = 'n'.repeat(256);
    const place = 0x2000;
    await gives(
      t,
      'a name of 256 bytes',
      [poke(place, long), call('path_create_directory', ROOT, place, long.length)],
      [ERRNO.NAMETOOLONG],
    );
    await gives(
      t,
      'the image stays as it is',
      [
        ...at('greeting.txt', 'path_unlink_file', [ROOT]),
        ...at('folder/deep', 'path_remove_directory', [ROOT]),
        ...at('new', 'path_create_directory', [ROOT]),
        ...at('tmp', 'path_remove_directory', [ROOT]),
      ],
      [ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS],
    );
  });

  await t.test('folders', async (t) => {
    const [opened, error, used, listing] = await calls(
      ...open('folder', READ, DIRECTORY),
      call('fd_readdir', { at: FD }, BUFFER, 512, 0n, RESULT),
      peek(RESULT, 4),
      peek(BUFFER, 512),
    );
    t.strictSame([opened, error], [0, 0]);
    const all = entries((listing as Buffer).subarray(0, (used as Buffer).readUInt32LE(0)));
    t.strictSame(all.map(({ name, type }) => `${name} ${type}`).sort(), [
      `. ${FILE_DIRECTORY}`,
      `.. ${FILE_DIRECTORY}`,
      `deep ${FILE_DIRECTORY}`,
      `one.txt ${FILE_REGULAR}`,
      `two.txt ${FILE_REGULAR}`,
    ]);
    for (const [index, { next }] of all.entries()) {
      const [, , usedThen, rest] = await calls(
        ...open('folder', READ, DIRECTORY),
        call('fd_readdir', { at: FD }, BUFFER, 512, next, RESULT),
        peek(RESULT, 4),
        peek(BUFFER, 512),
      );
      const found = entries((rest as Buffer).subarray(0, (usedThen as Buffer).readUInt32LE(0)));
      t.strictSame(found, all.slice(index + 1), `from cookie ${next} on`);
    }
    await gives(
      t,
      'a buffer that is too small is full',
      [
        ...open('folder', READ, DIRECTORY),
        call('fd_readdir', { at: FD }, BUFFER, 30, 0n, RESULT),
        peek(RESULT, 4),
        ...open('greeting.txt', READ),
        call('fd_readdir', { at: FD }, BUFFER, 30, 0n, RESULT),
        ...open('folder', READ, DIRECTORY),
        poke(VECTORS, words(BUFFER, 1)),
        call('fd_read', { at: FD }, VECTORS, 1, RESULT),
      ],
      [0, 0, count(30), 0, ERRNO.NOTDIR, 0, ERRNO.ISDIR],
    );
  });

  await t.test('scratch files', async (t) => {
    await gives(
      t,
      'written and read again',
      [
        ...open('tmp/a', READ_WRITE, CREATE | EXCLUSIVE),
        ...write('first'),
        ...write('second', 8192n),
        ...read(8, 4n),
        ...read(8, 8190n),
        call('fd_filestat_get', { at: FD }, BUFFER),
        peek(BUFFER + 32, 8),
      ],
      [
        ...[0, 0, 0],
        ...[0, count(8), Buffer.from('t\0\0\0\0\0\0\0')],
        ...[0, count(8), Buffer.from('\0\0second')],
        ...[0, Buffer.from(words(8198, 0))],
      ],
    );
    await gives(t, 'no request sees another one’s', open('tmp/a', READ), [ERRNO.NOENT]);
    await gives(
      t,
      'sizes',
      [
        ...open('tmp/a', READ_WRITE, CREATE),
        ...write('0123456789'),
        call('fd_filestat_set_size', { at: FD }, 4n),
        call('fd_filestat_set_size', { at: FD }, 6n),
        ...read(10, 0n),
        call('fd_allocate', { at: FD }, 0n, 8n),
        ...read(10, 0n),
        ...open('tmp/a', READ_WRITE, TRUNCATE),
        ...read(4, 0n),
      ],
      [
        ...[0, 0, 0, 0],
        ...[0, count(6), Buffer.from('0123\0\x006789')],
        0,
        ...[0, count(8), Buffer.from('0123\0\0\0\x0089')],
        0,
        ...[0, count(0), Buffer.from('0123')],
      ],
    );
    await gives(
      t,
      'appends wherever the position is',
      [
        ...open('tmp/log', READ_WRITE, CREATE, { descriptorFlags: APPEND }),
        ...write('one,'),
        call('fd_seek', { at: FD }, 0n, 0, RESULT),
        ...write('two'),
        ...read(7, 0n),
      ],
      [0, 0, 0, 0, 0, count(7), Buffer.from('one,two')],
    );
    await gives(
      t,
      'folders are made, renamed and removed',
      [
        ...at('tmp/d', 'path_create_directory', [ROOT]),
        ...at('tmp/d', 'path_create_directory', [ROOT]),
        ...open('tmp/d/f', READ_WRITE, CREATE),
        ...write('kept'),
        ...at('tmp/d', 'path_remove_directory', [ROOT]),
        ...at('tmp/d', 'path_unlink_file', [ROOT]),
        ...at('tmp/d/f', 'path_remove_directory', [ROOT]),
        poke(OTHER_PATH, 'tmp/d/inside'),
        ...at('tmp/d', 'path_rename', [ROOT], ROOT, OTHER_PATH, 12),
        poke(OTHER_PATH, 'tmp/e'),
        ...at('tmp/d', 'path_rename', [ROOT], ROOT, OTHER_PATH, 5),
        ...open('tmp/d/f', READ),
        ...at('tmp/e/f', 'path_unlink_file', [ROOT]),
        ...read(4, 0n),
        ...at('tmp/e', 'path_remove_directory', [ROOT]),
        ...at('tmp/e', 'path_filestat_get', [ROOT, 0], BUFFER),
      ],
      [
        ...[0, ERRNO.EXIST, 0, 0, ERRNO.NOTEMPTY, ERRNO.ISDIR, ERRNO.NOTDIR],
        ...[ERRNO.INVAL, 0, ERRNO.NOENT, 0],
        ...[0, count(4), Buffer.from('kept')],
        ...[0, ERRNO.NOENT],
      ],
    );
    await gives(
      t,
      'times',
      [
        ...open('tmp/a', READ_WRITE, CREATE),
        call('fd_filestat_set_times', { at: FD }, 5n, 7n, 1 | 4),
        ...at('tmp/a', 'path_filestat_get', [ROOT, 0], BUFFER),
        peek(BUFFER + 40, 16),
        call('fd_filestat_set_times', { at: FD }, 5n, 7n, 1 | 2),
      ],
      [0, 0, 0, Buffer.from(words(5, 0, 7, 0)), ERRNO.INVAL],
    );
  });

  await t.test('descriptors', async (t) => {
    await gives(
      t,
      'renumbered, and then closed',
      [
        ...open('greeting.txt', READ),
        ...open('folder/one.txt', READ, 0, { at: FD + 4 }),
        call('fd_renumber', { at: FD }, { at: FD + 4 }),
        call('fd_close', { at: FD }),
        poke(VECTORS, words(BUFFER, 5)),
        call('fd_read', { at: FD + 4 }, VECTORS, 1, RESULT),
        peek(BUFFER, 5),
        call('fd_close', { at: FD + 4 }),
        call('fd_close', { at: FD + 4 }),
        call('fd_renumber', ROOT, 99),
      ],
      [0, 0, 0, ERRNO.BADF, 0, Buffer.from('hello'), 0, ERRNO.BADF, ERRNO.BADF],
    );
    await gives(
      t,
      'rights are given up for good',
      [
        ...open('tmp/a', READ_WRITE, CREATE),
        call('fd_fdstat_set_rights', { at: FD }, RIGHT_READ, 0n),
        call('fd_fdstat_set_rights', { at: FD }, READ_WRITE, 0n),
        ...write('x'),
        call('fd_filestat_set_size', { at: FD }, 9n),
        ...read(1),
      ],
      [0, 0, ERRNO.NOTCAPABLE, ERRNO.NOTCAPABLE, ERRNO.NOTCAPABLE, 0, count(0), Buffer.from('x')],
    );
  });

  await t.test('rights of folders', async (t) => {
    const rights = (...given: bigint[]) => Buffer.from(BigInt64Array.from(given).buffer);
    const [, root] = await calls(call('fd_fdstat_get', ROOT, RESULT), peek(RESULT + 8, 16));
    const [base, inheriting] = [0, 8].map((at) => (root as Buffer).readBigUInt64LE(at));
    const content = RIGHT_READ | RIGHT_WRITE | RIGHT_SEEK | RIGHT_TELL | RIGHT_SET_SIZE;
    t.equal((base ?? 0n) & content, 0n, 'none to a content');
    t.equal((inheriting ?? 0n) & content, content, 'but to that of the files in it');
    await gives(
      t,
      'what is asked of a folder that only files have is not given',
      [
        ...open('folder', RIGHT_SEEK | RIGHT_READ | RIGHT_READ_FOLDER, DIRECTORY),
        call('fd_fdstat_get', { at: FD }, RESULT),
        peek(RESULT + 8, 16),
        call('fd_seek', { at: FD }, 0n, 1, RESULT),
        call('fd_tell', { at: FD }, RESULT),
        call('fd_allocate', { at: FD }, 0n, 1n),
        call('fd_filestat_set_size', { at: FD }, 0n),
        ...write('x', 0n),
        ...write('x'),
      ],
      [0, 0, rights(RIGHT_READ_FOLDER, 0n), ...Array.from({ length: 6 }, () => ERRNO.ISDIR)],
    );
    const empty = [
      poke(PATH, 'a'),
      call('path_open', { at: FD }, 0, PATH, 1, TRUNCATE, 0n, 0n, 0, RESULT),
    ];
    await gives(
      t,
      'to empty a file takes the right to do so by its path',
      [
        ...open('tmp/a', READ_WRITE, CREATE),
        ...write('full'),
        ...open('tmp', RIGHT_OPEN | RIGHT_PATH_SET_SIZE, DIRECTORY),
        ...empty,
        call('fd_fdstat_set_rights', { at: FD }, RIGHT_OPEN, 0n),
        ...empty,
      ],
      [0, 0, 0, 0, 0, ERRNO.NOTCAPABLE],
    );
  });

  await t.test('no descriptor is a socket', async (t) => {
    for (const name of ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'] as const) {
      await gives(
        t,
        name,
        [0, 1, ROOT, 77, -1].map((number) => call(name, number)),
        [ERRNO.NOTSOCK, ERRNO.NOTSOCK, ERRNO.NOTSOCK, ERRNO.BADF, ERRNO.BADF],
      );
    }
  });

  await t.test('poll_oneoff', async (t) => {
    const subscription = (userdata: number, tag: number, ...fields: number[]) => {
      const bytes = new Uint8Array(48);
      bytes.set(words(userdata, 0, tag, 0, ...fields));
      return bytes;
    };
    const NANOSECONDS = 3_000_000;
    const clock = (userdata: number, id: number, nanoseconds: number) =>
      subscription(userdata, 0, id, 0, nanoseconds, 0, 0, 0, 0, 0);
    const [before, error, after, number, event, times] = await calls(
      poke(BUFFER, clock(7, 1, NANOSECONDS)),
      call('clock_time_get', 1, 1n, RESULT + 8),
      call('poll_oneoff', BUFFER, 0x2000, 1, RESULT),
      call('clock_time_get', 1, 1n, RESULT + 16),
      peek(RESULT, 4),
      peek(0x2000, 12),
      peek(RESULT + 8, 16),
    );
    t.strictSame([before, error, after, number], [0, 0, 0, count(1)]);
    t.strictSame(event, Buffer.from(words(7, 0, 0)));
    const waited = (times as Buffer).readBigUInt64LE(8) - (times as Buffer).readBigUInt64LE(0);
    t.ok(waited >= (BigInt(NANOSECONDS) * 9n) / 10n, `waited ${waited} ns`);
    const [ready, readyCount, events] = await calls(
      poke(BUFFER, clock(1, 1, 0x7fffffff)),
      poke(BUFFER + 48, subscription(2, 1, 0)),
      poke(BUFFER + 96, subscription(3, 2, 1)),
      poke(BUFFER + 144, clock(4, 55, 1)),
      poke(BUFFER + 192, subscription(5, 1, 99)),
      call('poll_oneoff', BUFFER, 0x2000, 5, RESULT),
      peek(RESULT, 4),
      peek(0x2000, 32 * 4),
    );
    t.strictSame([ready, readyCount], [0, count(4)], 'streams are ready, so nothing is waited for');
    const found = [0, 32, 64, 96].map((at) => {
      const one = (events as Buffer).subarray(at);
      return [one.readUInt32LE(0), one.readUInt16LE(8)];
    });
    t.strictSame(found, [
      [2, 0],
      [3, 0],
      [4, ERRNO.INVAL],
      [5, ERRNO.BADF],
    ]);
    await gives(
      t,
      'nothing to wait for',
      [call('poll_oneoff', BUFFER, 0x2000, 0, RESULT)],
      [ERRNO.INVAL],
    );
  });

  await t.test('what there is not', async (t) => {
    for (const name of ['path_link', 'path_symlink', 'proc_raise'] as const) {
      await gives(t, name, [call(name)], [ERRNO.NOSYS]);
    }
    await gives(t, 'links', at('greeting.txt', 'path_readlink', [ROOT], BUFFER, 9, RESULT), [
      ERRNO.INVAL,
    ]);
  });

  await t.test('addresses outside of the memory are errors', async (t) => {
    const end = MEMORY_BYTES;
    for (const [name, args] of Object.entries({
      args_get: [end, 0],
      args_sizes_get: [0, end - 3],
      environ_get: [0, end - 1],
      environ_sizes_get: [-1, 0],
      clock_res_get: [0, end - 7],
      clock_time_get: [0, 0n, -1],
      random_get: [end - 4, 5],
      fd_fdstat_get: [0, end - 23],
      fd_filestat_get: [ROOT, end - 63],
      fd_prestat_get: [ROOT, end - 7],
      fd_prestat_dir_name: [ROOT, end, 1],
      fd_read: [0, end - 7, 1, 0],
      fd_write: [1, 0, 0x7fffffff, 0],
      fd_readdir: [ROOT, -1, 64, 0n, 0],
      path_open: [ROOT, 0, end, 1, 0, 0n, 0n, 0, 0],
      path_filestat_get: [ROOT, 0, -2, 2, 0],
      path_create_directory: [ROOT, end - 1, 2],
      poll_oneoff: [end - 47, 0, 1, 0],
    } satisfies Partial<Record<CallName, Argument[]>>)) {
      await gives(t, name, [call(name as CallName, ...args)], [ERRNO.FAULT]);
    }
    await gives(
      t,
      'a vector that leads outside',
      [poke(VECTORS, words(BUFFER, 1, end - 1, 2)), call('fd_write', 2, VECTORS, 2, RESULT)],
      [ERRNO.FAULT],
    );
  });

  await t.test('no arguments whatever harm what comes after', async () => {
    const names = [
      'args_get',
      'args_sizes_get',
      'environ_get',
      'environ_sizes_get',
      'clock_res_get',
      'clock_time_get',
      'fd_advise',
      'fd_allocate',
      'fd_datasync',
      'fd_fdstat_get',
      'fd_filestat_get',
      'fd_filestat_set_size',
      'fd_filestat_set_times',
      'fd_pread',
      'fd_prestat_get',
      'fd_prestat_dir_name',
      'fd_pwrite',
      'fd_read',
      'fd_readdir',
      'fd_seek',
      'fd_sync',
      'fd_tell',
      'path_create_directory',
      'path_filestat_get',
      'path_filestat_set_times',
      'path_link',
      'path_open',
      'path_readlink',
      'path_remove_directory',
      'path_rename',
      'path_symlink',
      'path_unlink_file',
      'random_get',
      'sock_send',
    ] as const satisfies readonly CallName[];
    // Small ones stay below the script, large ones reach behind the memory.
    const argument = fc.oneof(
      fc.constantFrom(0, 2, ROOT, 5, 8, 64),
      fc.constantFrom(MEMORY_BYTES + 1, -1, -8, 0x7fffffff, 0x80000000),
      fc.constantFrom(1n << 63n, -1n, 1n << 32n, 1n << 40n),
    );
    const step = fc
      .tuple(fc.constantFrom(...names), fc.array(argument, { minLength: 9, maxLength: 9 }))
      .map(([name, args]) => call(name, ...args));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const results = await calls(
          ...open('tmp/own', READ_WRITE, CREATE),
          ...write('precious'),
          ...steps,
          ...open('greeting.txt', READ),
          ...read(13, 0n),
        );
        return results.at(-1)?.toString() === 'hello, world\n';
      }),
      { numRuns: 60 },
    );
  });

  await t.test('a command in an instance that lives on begins anew', async (t) => {
    const instance = await fn.spawn();
    const folders = Array.from({ length: 40 }, (_, depth) => `tmp${'/d'.repeat(depth + 1)}`);
    const leave = [
      ...open('tmp/a', READ_WRITE, CREATE),
      ...write('left'),
      ...folders.flatMap((path) => at(path, 'path_create_directory', [ROOT])),
      ...open('tmp/d/d/b', READ_WRITE, CREATE),
      ...write('left'),
      peek(FD, 4),
    ];
    const first = await make(instance, ...leave);
    t.strictSame(first, [0, 0, ...folders.map(() => 0), 0, 0, count(5)]);
    t.strictSame(await make(instance, ...leave), first, 'with the same numbers, and an empty /tmp');
    t.strictSame(await make(instance, ...open('tmp/a', READ)), [ERRNO.NOENT]);
    await instance.kill();
  });

  await t.test('the end of a program', async (t) => {
    t.match(await send(fn, call('proc_exit', 3)).catch((error: unknown) => error), {
      status: 500,
      details: { name: 'ExitError', message: 'the program ended with exit code 3' },
    });
    t.match(await send(fn, call('proc_exit', 0)).catch((error: unknown) => error), { status: 500 });
    t.equal((await send(fn)).status, 200, 'the next request is served');
  });
});

t.test('memory', { skip: untestable }, async (t) => {
  const images = new ModuleImages();
  t.teardown(() => images.remove());
  const image = images.buildCalls();
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'grow', image, limits: { memoryBytes: 24 << 20 } });
  const pages = MEMORY_BYTES / 65536;
  t.strictSame(
    await make(fn, call('grow', 1), call('grow', 16), call('grow', 384), call('grow', 0)),
    [pages, pages + 1, -1, pages + 17],
    'grows up to the instance’s memory',
  );
  t.strictSame(await make(fn, call('grow', 0)), [pages], 'and each request starts anew');
  const chunk = 60_000;
  const results = await make(
    fn,
    ...open('tmp/large', READ_WRITE, CREATE),
    poke(VECTORS, words(0, chunk)),
    ...Array.from({ length: 350 }, (_, index) =>
      call('fd_pwrite', { at: FD }, VECTORS, 1, BigInt(index) * 100_000n, RESULT),
    ),
    call('grow', 256),
    ...open('greeting.txt', READ),
  );
  t.equal(results.at(-3), ERRNO.NOSPC, 'scratch files take up to what is kept for them');
  t.equal(results.at(-2), pages, 'and nothing of what the module’s memory can grow to');
  t.equal(results.at(-1), ERRNO.NOENT, 'the rest goes on');
});
