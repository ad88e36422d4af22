// Debian packages: the tools that build the addon and the guest images. They are looked for by what
// they provide, so that a machine that has them from elsewhere needs nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { findCommand, runLogged } from './command.mjs';
import { StepFailure } from './step.mjs';

const REQUIREMENTS = [
  { package: 'gcc', has: () => findCommand('gcc'), why: 'compiles the guest images' },
  { package: 'g++', has: () => findCommand('g++'), why: "compiles the driver's addon" },
  {
    package: 'libc6-dev',
    has: () => existsSync('/usr/include/stdio.h') && existsSync('/usr/include/linux/kvm.h'),
    why: 'headers of the C library and of KVM',
  },
  { package: 'binutils', has: () => findCommand('objdump'), why: 'links and checks images' },
  { package: 'make', has: () => findCommand('make'), why: 'runs the addon build' },
  { package: 'patch', has: () => findCommand('patch'), why: "corrects the guests' libraries" },
  { package: 'xz-utils', has: () => findCommand('xz'), why: 'unpacks their sources' },
  { package: 'bzip2', has: () => findCommand('bzip2'), why: 'unpacks their sources' },
  { package: 'python3', has: () => findCommand('python3'), why: 'node-gyp is written in it' },
  { package: 'musl-tools', has: () => findCommand('musl-gcc'), why: "the guests' C library" },
  {
    package: 'wabt',
    has: () => findCommand('wasm2c') && existsSync('/usr/include/wasm-rt.h'),
    why: 'turns the JavaScript engine into C',
  },
];

/** What only the fuzzers need. */
const FUZZ_REQUIREMENTS = [
  {
    package: 'clang',
    has: () => findCommand('clang++'),
    why: 'compiles the fuzzers: it is the compiler with libFuzzer',
  },
  {
    package: 'libclang-rt-dev',
    has: hasFuzzerRuntime,
    why: 'libFuzzer and the sanitizers that it is linked with',
  },
];

/** What only the tests of pages need. */
const BROWSER_REQUIREMENTS = [
  { package: 'chromium', has: () => findCommand('chromium'), why: 'opens the pages under test' },
];

/** What only the tests of WebAssembly modules need. */
const WASI_REQUIREMENTS = [
  {
    package: 'clang',
    has: () => findCommand('clang'),
    why: 'compiles the C programs under test to WebAssembly',
  },
  { package: 'lld', has: () => findCommand('wasm-ld'), why: 'links them' },
  {
    package: 'wasi-libc',
    has: () => existsSync('/usr/include/wasm32-wasi/wasi/api.h'),
    why: 'their C library',
  },
  {
    package: 'libclang-rt-dev-wasm32',
    has: hasWasmRuntime,
    why: 'what the compiler calls of its own',
  },
];

/** What only the benchmark needs: what loads a server, and what functions are compared with. */
const BENCH_REQUIREMENTS = [
  {
    package: 'wrk',
    has: () => findCommand('wrk'),
    why: 'sends the requests: it takes least itself',
  },
  { package: 'bubblewrap', has: () => findCommand('bwrap'), why: 'what `clone` is compared with' },
  { package: 'clang', has: () => findCommand('clang'), why: 'compiles C to WebAssembly' },
  { package: 'lld', has: () => findCommand('wasm-ld'), why: 'links WebAssembly modules' },
];

function hasFuzzerRuntime() {
  if (!findCommand('clang++')) return false;
  const folder = execFileSync('clang++', ['--print-runtime-dir'], { encoding: 'utf8' }).trim();
  return (
    existsSync(folder) && readdirSync(folder).some((file) => /^libclang_rt\.fuzzer/.test(file))
  );
}

function hasWasmRuntime() {
  if (!findCommand('clang')) return false;
  const options = ['--target=wasm32-wasi', '--print-libgcc-file-name'];
  return existsSync(execFileSync('clang', options, { encoding: 'utf8' }).trim());
}

const missing = (requirements) => requirements.filter((requirement) => !requirement.has());

function listOf(requirements) {
  return requirements.map((r) => `  ${r.package.padEnd(16)} ${r.why}`).join('\n');
}

/** Installs packages with apt-get, through sudo where the user is not root. */
async function install(names) {
  const isRoot = process.getuid() === 0;
  const sudo = isRoot ? [] : ['sudo', '--'];
  const line = `${isRoot ? '' : 'sudo '}apt-get install ${names.join(' ')}`;
  if (!isRoot && !findCommand('sudo')) {
    throw new StepFailure('these packages are missing and there is no sudo', {
      remedy: `as root, run "apt-get install ${names.join(' ')}", then run this again`,
    });
  }
  const apt = (args, append) =>
    runLogged('packages', [...sudo, 'apt-get', ...args], {
      append,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
      remedy: `run "${line}" yourself, then run this again`,
    });
  await apt(['update'], false);
  await apt(['install', '--yes', '--no-install-recommends', ...names], true);
}

/** A step that installs what is missing, and says what and why. */
export function packagesStepFor(requirements, step) {
  return {
    ...step,
    isCurrent: () => missing(requirements).length === 0,
    async run() {
      const needed = missing(requirements);
      const names = needed.map((requirement) => requirement.package);
      process.stderr.write(`\n${listOf(needed)}\n`);
      if (!existsSync('/etc/debian_version') || !findCommand('apt-get')) {
        throw new StepFailure('these tools are missing, and this is not Debian', {
          remedy: `install what Debian calls ${names.join(', ')}, then run this again`,
        });
      }
      process.stderr.write(`  apt-get install ${names.join(' ')} …`);
      await install(names);
      const still = missing(requirements);
      if (still.length > 0) {
        throw new StepFailure(`apt-get was content, yet this is still missing:\n${listOf(still)}`);
      }
    },
  };
}

/** @type {import('./step.mjs').Step} */
export const packagesStep = packagesStepFor(REQUIREMENTS, {
  name: 'packages',
  title: 'tools that build the addon and the images',
});

/** @type {import('./step.mjs').Step} */
export const fuzzPackagesStep = packagesStepFor(FUZZ_REQUIREMENTS, {
  name: 'fuzz tools',
  title: 'the compiler with libFuzzer',
  optional: true,
});

/** @type {import('./step.mjs').Step} */
export const browserPackagesStep = packagesStepFor(BROWSER_REQUIREMENTS, {
  name: 'browser',
  title: 'the browser that opens pages under test',
  optional: true,
});

/** @type {import('./step.mjs').Step} */
export const wasiPackagesStep = packagesStepFor(WASI_REQUIREMENTS, {
  name: 'WASI tools',
  title: 'what makes modules of C programs for tests',
  optional: true,
});

/** @type {import('./step.mjs').Step} */
export const benchPackagesStep = packagesStepFor(BENCH_REQUIREMENTS, {
  name: 'bench tools',
  title: 'what the benchmark loads and compares with',
});
