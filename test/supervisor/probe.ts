/**
 * A process that locks itself down as a worker does, then tries what it may not do, and prints what
 * came of each try as JSON. Arguments: the user and the group to become (or `-`), names of tries.
 */
import { execFileSync, spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { lockDown } from '../../src/supervisor/lock-down.js';
import { loadProcessAddon, type ProcessAddon } from '../../src/supervisor/process-native.js';

const FIELDS = /^(Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp):[ \t]*(.*?)[ \t]*$/gm;

interface TestAddon extends ProcessAddon {
  trySystemCall(number: number, ...values: number[]): number;
}

const addon = loadProcessAddon('hatchery_process_test') as TestAddon;

/** Numbers of x86-64, with arguments that would do no harm. */
const SYSTEM_CALLS: Record<string, readonly number[]> = {
  ptrace: [101, 16, 0, 0],
  process_vm_readv: [310, 1, 0, 0],
  mount: [165, 0, 0, 0],
  chroot: [161, 0, 0, 0],
  bpf: [321, 0, 0, 0],
  x32: [0x40000000 + 39],
  fork: [57],
  clone: [56, 17, 0, 0],
  clone3: [435, 0, 0, 0],
  execve: [59, 0, 0, 0],
  execveat: [322, 0, 0, 0],
  setns: [308, -1, 0, 0],
  unshare: [272, 0x10000000, 0, 0],
  userfaultfd: [323, 0, 0, 0],
  perf_event_open: [298, 0, 0, 0],
  keyctl: [250, 0, 0, 0],
  io_uring_setup: [425, 1, 0, 0],
  personality: [135, 0xffffffff, 0, 0],
  settimeofday: [164, 0, 0, 0],
  setuid: [105, 0, 0, 0],
  capset: [126, 0, 0, 0],
  netlink: [41, 16, 3, 0],
  packet: [41, 17, 3, 0],
  raw: [41, 2, 3, 1],
  inet: [41, 2, 1, 0],
  unix: [41, 1, 1, 0],
  killsParent: [62, process.ppid, 0],
  newNetwork: [56, 0x40000011, 0, 0],
  vsock: [41, 40, 1, 0],
  dumpable: [157, 4, 1, 0],
  notOwnThread: [234, 1, 1, 0],
  future: [2000],
};

function threads(): Record<string, string>[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const text = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
    return Object.fromEntries([...text.matchAll(FIELDS)].map(([, name, value]) => [name, value]));
  });
}

/** What workers can use only where it was opened before; another device where there is no KVM. */
const DEVICE = existsSync('/dev/kvm') ? '/dev/kvm' : '/dev/zero';

const TRIES: Record<string, () => unknown> = {
  shadow: () => readFileSync('/etc/shadow', 'utf8').length,
  passwd: () => readFileSync('/etc/passwd', 'utf8').length > 0,
  // On a thread of Node's pool, which existed before.
  root: () => readdir('/root'),
  folder: () => readdir('/tmp'),
  home: () => readdir('/home'),
  write: () => writeFileSync('/tmp/hatchery-probe', 'x'),
  device: () => closeSync(openSync(DEVICE, 'r')),
  parent: () => readFileSync(`/proc/${process.ppid}/environ`, 'utf8'),
  exec: () => execFileSync('/bin/true'),
  execOther: () => execFileSync('/bin/false'),
  fills: () => Buffer.alloc(2 ** 31 - 1, 1).length,
  spawn: () =>
    new Promise((resolve, reject) => {
      spawn('/bin/true').on('error', reject).on('exit', resolve);
    }),
  listen: () =>
    new Promise((resolve, reject) => {
      createServer()
        .on('error', reject)
        .listen(0, () => resolve('listens'));
    }),
  signal: () => process.kill(process.ppid, 0),
  ownSignal: () => process.kill(process.pid, 0),
  becomeRoot: () => process.setuid?.(0),
  thread: () =>
    new Promise((resolve, reject) => {
      new Worker('process.exit(0)', { eval: true }).on('error', reject).on('exit', resolve);
    }),
  lookup: async () => (await lookup('localhost')).address,
  environment: () => Object.keys(process.env),
  workingFolder: () => process.cwd(),
};

// With what loads it, as it is linked dynamically.
const programs = ['/bin/true', '/lib64/ld-linux-x86-64.so.2'];
const BUILDER = { programs, writable: [], dataBytes: 2 ** 30, cpuSeconds: 20 };

const [user = '-', group = '-', mode = '', ...names] = process.argv.slice(2);
const outcomes: Record<string, unknown> = {};
const readable = mode === 'proc' ? ['/proc'] : [];
await lockDown(
  addon,
  {
    user: user === '-' ? undefined : { user: Number(user), group: Number(group) },
    openFiles: 4096,
    supervisor: process.ppid,
    ...(mode === 'builder' ? { builder: BUILDER } : {}),
  },
  readable,
);
if (mode === 'proc') {
  outcomes.threads = threads();
}
for (const name of names) {
  try {
    const [number, ...values] = SYSTEM_CALLS[name] ?? [];
    outcomes[name] =
      number === undefined
        ? ((await TRIES[name]?.()) ?? 'done')
        : addon.trySystemCall(number, ...values);
  } catch (error) {
    outcomes[name] = { code: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}
console.log(JSON.stringify(outcomes));
process.exit(0);
