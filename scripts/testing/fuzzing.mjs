// The fuzzers of fuzz/: builds them and lets each have its share of the time. What breaks something is
// kept in build/fuzz/crashes; inputs in fuzz/inputs/TARGET, where there are any, are tried first.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runLogged } from '../steps/command.mjs';
import { digestOf, filesBelow, isStamped, stamp } from '../steps/digest.mjs';
import { fuzzPackagesStep } from '../steps/packages.mjs';
import { at } from '../steps/root.mjs';
import { runSteps, StepFailure } from '../steps/step.mjs';

const CRASHES = 'build/fuzz/crashes';
const CODECS = 'codecs';

/** The addon's sources that need no Node; fuzz/native/fake_kvm.cc is in kvm_ioctl.cc's place. */
const NATIVE_SOURCES = [
  'kvm/kvm_device',
  'kvm/kvm_machine',
  'kvm/kvm_machine_exit',
  'kvm/kvm_machine_rewind',
  'kvm/kvm_snapshot',
  'kvm/memory_views',
  'kvm/pagemap',
  'kvm/run_mapping',
  'kvm/watchdog',
  'machine/entropy',
  'machine/load_plan',
  'machine/machine',
  'machine/memory_file',
  'machine/page_tables',
  'machine/thread',
].map((name) => `native/${name}.cc`);

/** libFuzzer's targets, fuzz/native/NAME.cc. Shares of the time are relative to each other's. */
const NATIVE = [
  { name: 'machine', share: 4, longest: 2048 },
  { name: 'load_plan', share: 1, longest: 512 },
];
const CODECS_SHARE = 3;

const COMPILE = [
  'clang++',
  '-std=c++20',
  '-g',
  '-O1',
  '-fno-exceptions',
  '-fno-omit-frame-pointer',
  '-Wall',
  '-Wextra',
  '-DHATCHERY_TEST_HOOKS',
  '-fsanitize=fuzzer,address,undefined',
  '-fno-sanitize-recover=all',
  '-Wl,--wrap=open',
];

/** The rest of the machine comes first: tests may be running. */
const NICE = ['nice', '-n', '19'];

async function build({ name }) {
  const stampName = `fuzz-${name}`;
  const digest = () =>
    digestOf(filesBelow(['fuzz/native', 'native/kvm', 'native/machine', 'images/abi']), COMPILE);
  const before = digest();
  if (existsSync(at('build/fuzz', name)) && isStamped(stampName, before)) return;
  mkdirSync(at('build/fuzz'), { recursive: true });
  const sources = [`fuzz/native/${name}.cc`, 'fuzz/native/fake_kvm.cc', ...NATIVE_SOURCES];
  const command = [...NICE, ...COMPILE, ...sources, '-o', `build/fuzz/${name}`];
  await runLogged(`fuzz-build-${name}`, command);
  stamp(stampName, before);
}

function fuzzNative({ name, longest }, seconds, seed) {
  const folders = [`build/fuzz/corpus/${name}`];
  mkdirSync(at(folders[0]), { recursive: true });
  const kept = `fuzz/inputs/${name}`;
  if (existsSync(at(kept))) folders.push(kept);
  return [
    `build/fuzz/${name}`,
    `-max_total_time=${seconds}`,
    `-max_len=${longest}`,
    '-len_control=20',
    '-timeout=10',
    `-artifact_prefix=${CRASHES}/${name}-`,
    ...(seed === undefined ? [] : [`-seed=${seed}`]),
    ...folders,
  ];
}

function fuzzCodecs(seconds, seed) {
  const numbers = [seconds, seed ?? Math.floor(Math.random() * 0xffffffff)].map(String);
  return [process.execPath, 'fuzz/codecs.mjs', ...numbers, CRASHES];
}

/** The last lines of a fuzzer's log that say what it did. */
function outcomeOf(logFile) {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return lines.filter((line) => /^(codecs:|#\d+\s+DONE)/.test(line));
}

/**
 * Fuzzes, one target after the other.
 *
 * @param {number} seconds for all of them together, at least one for each; building comes on top
 * @param {{seed?: number}} [options]
 * @returns {Promise<{done: string[], failures: string[], skips: string[]}>} what was done, and what
 *   went wrong or could not be had, a text each
 */
export async function fuzz(seconds, { seed } = {}) {
  mkdirSync(at(CRASHES), { recursive: true });
  const result = { done: [], failures: [], skips: [] };
  const { failed } = await runSteps([fuzzPackagesStep]);
  const native = failed.length === 0 ? NATIVE : [];
  if (failed.length > 0) {
    const names = NATIVE.map(({ name }) => name).join(', ');
    result.skips.push(`the fuzzers in C++ (${names}): there is no clang with libFuzzer`);
  }
  const shares = native.reduce((sum, { share }) => sum + share, CODECS_SHARE);
  const timeFor = (share) => Math.max(1, Math.round((seconds * share) / shares));
  const before = new Set(readdirSync(at(CRASHES)));
  const attempt = async (name, work) => {
    try {
      const lines = outcomeOf(await work());
      result.done.push(...lines.map((line) => `${name}: ${line.replace(`${name}: `, '')}`));
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      const kept = readdirSync(at(CRASHES)).filter(
        (file) => file.startsWith(`${name}-`) && !before.has(file),
      );
      const inputs = kept.map((file) => `  its input: ${path.join(CRASHES, file)}`);
      const log = readFileSync(error.logFile, 'utf8').split('\n');
      const start = log.findIndex((line) => /VIOLATED|ERROR|runtime error|failed/.test(line));
      const text = log.slice(Math.max(0, start), Math.max(0, start) + 40);
      result.failures.push([`${name}: ${error.message}`, ...inputs, ...text].join('\n'));
    }
  };
  for (const target of native) {
    await attempt(target.name, async () => {
      await build(target);
      const command = fuzzNative(target, timeFor(target.share), seed);
      return runLogged(`fuzz-${target.name}`, [...NICE, ...command]);
    });
  }
  await attempt(CODECS, () =>
    runLogged('fuzz-codecs', [...NICE, ...fuzzCodecs(timeFor(CODECS_SHARE), seed)]),
  );
  return result;
}
