/** What a process may still do once it is locked down as a worker is. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { KEPT_VARIABLES, lockDown, workerEnvironment } from '../../src/supervisor/lock-down.js';
import { loadProcessAddon } from '../../src/supervisor/process-native.js';

const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url));
const NOBODY = ['65534', '65534'];
const STAY = ['-', '-'];
const isRoot = process.getuid?.() === 0;
const { landlock } = loadProcessAddon().walls();

type Outcomes = Record<string, { code?: string } & Record<string, unknown>>;

async function probe(...args: string[]): Promise<Outcomes> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROBE, ...args], {
    env: workerEnvironment(),
  });
  return JSON.parse(stdout);
}

t.test('every thread has lost its rights', async (t) => {
  const { threads } = await probe(...(isRoot ? NOBODY : STAY), 'proc');
  const all = threads as unknown as Record<string, string>[];
  t.ok(all.length > 5, 'Node’s own threads were there before');
  for (const thread of all) {
    t.match(thread, { NoNewPrivs: '1', Seccomp: '2' });
    for (const set of ['CapPrm', 'CapEff', 'CapInh', 'CapAmb']) {
      t.match(thread[set], /^0+$/, set);
    }
    if (isRoot) {
      t.match(thread, { CapBnd: /^0+$/, Groups: /^$/ });
      t.equal(thread.Uid, '65534\t65534\t65534\t65534');
      t.equal(thread.Gid, '65534\t65534\t65534\t65534');
    }
  }
});

for (const who of isRoot ? [NOBODY, STAY] : [STAY]) {
  t.test(`what it may not do, as ${who[0] === '-' ? 'who it was' : 'nobody'}`, async (t) => {
    const refused = await probe(
      ...who,
      '',
      ...['exec', 'spawn', 'listen', 'signal', 'becomeRoot', 'root', 'parent'],
    );
    for (const name of ['exec', 'spawn', 'listen', 'signal', 'becomeRoot', 'root', 'parent']) {
      t.match(refused[name]?.code, /^(EPERM|EACCES)$/, `${name}: ${JSON.stringify(refused[name])}`);
    }
  });

  t.test('files', { skip: landlock === 0 && 'the kernel has no Landlock' }, async (t) => {
    const files = await probe(...who, '', 'folder', 'home', 'write', 'device', 'passwd');
    for (const name of ['folder', 'home', 'write', 'device']) {
      t.match(files[name]?.code, /^(EPERM|EACCES)$/, name);
    }
    t.equal(files.passwd as unknown, true, 'what names are looked up in can be read');
  });
}

t.test('root’s secrets', { skip: !isRoot && 'not root' }, async (t) => {
  t.match(await probe(...NOBODY, '', 'shadow'), { shadow: { code: 'EACCES' } });
});

const EPERM = -1;
const ENOSYS = -38;
const EAFNOSUPPORT = -97;

t.test('system calls that it never needs', async (t) => {
  const expected: Record<string, number> = {
    ...{ fork: EPERM, clone: EPERM, execve: EPERM, execveat: EPERM, setns: EPERM, unshare: EPERM },
    ...{ userfaultfd: EPERM, perf_event_open: EPERM, keyctl: EPERM, personality: EPERM },
    ...{ settimeofday: EPERM, setuid: EPERM, capset: EPERM, dumpable: EPERM, notOwnThread: EPERM },
    ...{ clone3: ENOSYS, io_uring_setup: ENOSYS, future: ENOSYS },
    ...{ netlink: EAFNOSUPPORT, packet: EAFNOSUPPORT, vsock: EAFNOSUPPORT },
    raw: EPERM,
  };
  const found = await probe(...(isRoot ? NOBODY : STAY), '', ...Object.keys(expected));
  for (const [name, outcome] of Object.entries(expected)) {
    t.equal(found[name] as unknown, outcome, name);
  }
});

const isSanitized = process.env.LD_PRELOAD?.includes('asan') === true;

t.test(
  'a builder may start the programs that it is given, and has no network',
  {
    skip: isSanitized && 'sanitizers map more memory than a builder may have',
  },
  async (t) => {
    const who = isRoot ? NOBODY : STAY;
    const numbers: Record<string, number> = {
      ...{ inet: EAFNOSUPPORT, unix: EAFNOSUPPORT, netlink: EAFNOSUPPORT, raw: EAFNOSUPPORT },
      ...{
        killsParent: EPERM,
        newNetwork: EPERM,
        unshare: EPERM,
        setuid: EPERM,
        notOwnThread: EPERM,
      },
      ...{ execveat: EPERM, clone3: ENOSYS, io_uring_setup: ENOSYS },
    };
    const found = await probe(
      ...who,
      'builder',
      ...['exec', 'execOther', 'folder', 'home', 'write', 'device', 'listen', 'fills', 'parent'],
      ...Object.keys(numbers),
    );
    t.notOk(found.exec?.code, 'the program runs');
    t.match(found.fills, { code: /allocation failed/ }, 'memory is limited');
    for (const [name, outcome] of Object.entries(numbers)) {
      t.equal(found[name] as unknown, outcome, name);
    }
    t.match(found.listen?.code, /^(EAFNOSUPPORT|EPERM|EACCES)$/, 'listen');
    t.match(found.parent?.code, /^(EPERM|EACCES)$/, 'parent');
    if (landlock > 0) {
      for (const name of ['execOther', 'folder', 'home', 'write', 'device']) {
        t.match(found[name]?.code, /^(EPERM|EACCES)$/, name);
      }
    }
  },
);

for (const name of ['ptrace', 'process_vm_readv', 'mount', 'chroot', 'bpf', 'x32']) {
  t.test(`${name} ends the process`, async (t) => {
    const ended = await probe(...(isRoot ? NOBODY : STAY), '', name).catch((error) => error);
    t.match(ended, { signal: 'SIGSYS' });
  });
}

t.test('what it needs still works', async (t) => {
  const needed = await probe(
    ...(isRoot ? NOBODY : STAY),
    '',
    ...['thread', 'lookup', 'ownSignal', 'workingFolder', 'environment'],
  );
  t.equal(needed.thread as unknown, 0);
  t.match(needed.lookup, /^(127\.|::1)/);
  t.equal(needed.ownSignal as unknown, true);
  t.equal(needed.workingFolder as unknown, '/');
  const known: readonly string[] = KEPT_VARIABLES;
  t.same(
    (needed.environment as unknown as string[]).filter((name) => !known.includes(name)),
    [],
    'and it sees no variable that it does not need',
  );
});

t.test('the environment of a worker', (t) => {
  t.same(workerEnvironment({ TOKEN: 'secret', TZ: 'UTC', PATH: '/bin' }), { TZ: 'UTC' });
  t.end();
});

t.test('what fails is a typed error', async (t) => {
  const refusing = {
    ...loadProcessAddon(),
    lockDown: () => {
      throw new Error('seccomp: Invalid argument');
    },
  };
  const options = { user: undefined, openFiles: 64, supervisor: process.ppid };
  const before = process.cwd();
  await t.rejects(lockDown(refusing, options), {
    code: 'LOCK_DOWN_FAILED',
    message: /seccomp.*--workers 0/,
  });
  process.chdir(before);
});

t.test('a parent that is gone', async (t) => {
  const script = `import('${new URL('../../src/supervisor/process-native.js', import.meta.url)}')
    .then(({ loadProcessAddon }) => loadProcessAddon().lockDown(
      { parent: 1e6, openFiles: 64, threads: 64, readable: [] }))
    .catch((error) => console.log(error.call));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  t.equal(stdout.trim(), 'getppid');
});
