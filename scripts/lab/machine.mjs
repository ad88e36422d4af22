// Runs QEMU's software emulation of a PC with Xen, Dom0 and a command in it.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { LOGS } from '../steps/root.mjs';

/** Memory of Dom0, MiB: it holds its files, too. */
const DOM0_MEMORY = 1024;

const XEN_OPTIONS = [
  'console=com1',
  'com1=115200,8n1',
  'guest_loglvl=all',
  `dom0_mem=${DOM0_MEMORY}M,max:${DOM0_MEMORY}M`,
  // Dom0 has processor 0 for itself; what runs beside it costs tens of milliseconds for each wake-up.
  'dom0_max_vcpus=1',
  'dom0_vcpus_pin',
  // As docs/xen.md says for a host: Xen clears what domains give back, so that Dom0 need not look.
  'scrub-domheap',
].join(' ');

const LINUX_OPTIONS = [
  'console=hvc0',
  'quiet',
  'loglevel=4',
  'mitigations=off',
  'lsm=capability',
  'random.trust_cpu=on',
  'net.ifnames=0',
].join(' ');

/**
 * Everything that QEMU emulates but for what Xen does not start on (SMAP, SMEP), and for XSAVE: QEMU's
 * XSAVE and XRSTOR do not fault where CR0.TS is set (Intel SDM volume 1, sections 13.7 and 13.8). Xen's lazy
 * change of vector registers rests on that fault; without it Dom0's programs got the registers of guests
 * that had run on their processor. test/xen/vector-registers.test.ts shows it.
 */
const PROCESSOR = 'max,-smap,-smep,-xsave';

/** Real time, or a clock that counts instructions, one nanosecond each, on one processor. */
const REAL_TIME = ['-accel', 'tcg,thread=multi', '-smp', '2'];
const COUNTED = ['-accel', 'tcg,thread=single', '-smp', '1', '-icount', 'shift=0,sleep=off'];

/** Streams between QEMU and this process, by descriptor in QEMU. */
const PORTS = { stdout: 3, stderr: 4, progress: 5 };

/** What makes Xen read keys from the serial port, then: all domains, the run queues, all registers. */
const DIAGNOSTIC_KEYS = '\x01\x01\x01qrd';
/** Milliseconds that Xen gets to answer those. */
const DIAGNOSIS_MILLISECONDS = 5_000;

/** Number of machines of this process so far: each has a console file of its own. */
let machines = 0;

function portOptions() {
  const ports = Object.entries(PORTS).flatMap(([name, descriptor]) => [
    '-chardev',
    `socket,id=${name},fd=${descriptor}`,
    '-device',
    `virtserialport,chardev=${name},name=${name}`,
  ]);
  return ['-device', 'virtio-serial-pci', ...ports];
}

/** In an option of QEMU a comma separates values, unless it is doubled. */
const escaped = (text) => text.replaceAll(',', ',,');

function qemuArguments({ files, initramfs, memory, counted }) {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    ...['-machine', 'pc', '-cpu', PROCESSOR, '-m', `${memory}M`],
    ...(counted ? COUNTED : REAL_TIME),
    ...['-kernel', files.xen, '-append', XEN_OPTIONS],
    ...['-initrd', `${escaped(files.kernel)} ${escaped(LINUX_OPTIONS)},${escaped(initramfs)}`],
    ...portOptions(),
  ];
}

/**
 * @typedef {object} Outcome
 * @property {number | undefined} code the command's exit code; undefined if it did not come to that
 * @property {boolean} timedOut
 * @property {boolean} stalled whether it was ended because it said nothing for `silence`
 * @property {string} console path of the file with what Xen and Dom0's kernel said
 */

/**
 * Boots the machine, runs the command that is packed in `initramfs`, ends the machine.
 *
 * @param {object} plan
 * @param {{xen: string, kernel: string}} plan.files
 * @param {string} plan.initramfs
 * @param {number} plan.memory of the machine, MiB
 * @param {boolean} plan.counted whether the clock counts instructions
 * @param {number} plan.timeout seconds from QEMU's start
 * @param {number} [plan.silence] seconds without any output after which the machine stands still: it is
 *   ended, and what its processors do is in its console's file. Default: none
 * @param {NodeJS.WritableStream} plan.stdout gets the command's output, byte for byte
 * @param {NodeJS.WritableStream} plan.stderr
 * @param {(stage: string) => void} plan.onProgress `kernel 1.2`, `ready 2.3`: seconds of Dom0's clock
 * @returns {Promise<Outcome>}
 */
export function runMachine(plan) {
  mkdirSync(LOGS, { recursive: true });
  const consoleFile = path.join(LOGS, `lab-console-${process.pid}-${machines}.log`);
  machines += 1;
  // Ends with this process, however that ends.
  const command = ['setpriv', '--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(plan)];
  const child = spawn(command[0], command.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const log = createWriteStream(consoleFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.stdio[PORTS.stdout].pipe(plan.stdout, { end: false });
  child.stdio[PORTS.stderr].pipe(plan.stderr, { end: false });

  const outcome = { code: undefined, timedOut: false, stalled: false, console: consoleFile };
  // It may be gone when it is written to.
  child.stdin.on('error', () => {});
  const stall = watchForSilence(plan.silence, child, () => {
    outcome.stalled = true;
  });
  createInterface({ input: child.stdio[PORTS.progress] }).on('line', (line) => {
    const [word, value] = line.split(' ');
    if (word !== 'exit') return plan.onProgress(line);
    outcome.code = Number(value);
    child.kill('SIGKILL');
  });
  const timer = setTimeout(() => {
    outcome.timedOut = true;
    child.kill('SIGKILL');
  }, plan.timeout * 1000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      clearTimeout(stall);
      log.end(() => resolve(outcome));
    });
  });
}

/** Ends a machine that says nothing for `seconds`, and gets Xen's view of it before. */
function watchForSilence(seconds, child, onStall) {
  if (seconds === undefined) return undefined;
  const timer = setTimeout(() => {
    onStall();
    child.stdin.write(DIAGNOSTIC_KEYS);
    setTimeout(() => child.kill('SIGKILL'), DIAGNOSIS_MILLISECONDS);
  }, seconds * 1000);
  for (const port of Object.values(PORTS)) child.stdio[port].on('data', () => timer.refresh());
  return timer;
}
