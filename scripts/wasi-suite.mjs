// node scripts/wasi-suite.mjs FOLDER [NAME…]: runs the programs of the public WASI test suite (of preview 1, prebuilt;
// FOLDER has its tests/) as images and compares what they do with their .json; prints what differs, and why.
// They write to their root, which images have read-only: here it is writable, and nothing else is another.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TARGET = 'testsuite/wasm32-wasip1';
const LANGUAGES = ['c', 'assemblyscript', 'rust'];
const READ_ONLY = 'file->is_read_only = 1;';
const MEMORY_BYTES = 128 << 20;

/** An SDK whose images may write to all of their files; returns its folder. */
function writableSdk(folder) {
  cpSync(fileURLToPath(new URL('../images', import.meta.url)), `${folder}/images`, {
    recursive: true,
  });
  const packed = `${folder}/images/files/packed_files.c`;
  const source = readFileSync(packed, 'utf8');
  if (!source.includes(READ_ONLY))
    throw new Error(`${packed} makes files read-only in another way`);
  writeFileSync(packed, source.replace(READ_ONLY, 'file->is_read_only = 0;'));
  execFileSync(`${folder}/images/wasm/build-sdk.sh`, [`${folder}/sdk`], { stdio: 'inherit' });
  return `${folder}/sdk`;
}

/** Makes an image of a program; returns its path. */
function imageOf(module, root, sdk, folder) {
  const work = mkdtempSync(join(folder, 'work-'));
  const names = root === undefined ? [] : readdirSync(root).filter((name) => !name.startsWith('.'));
  if (names.length > 0) {
    execFileSync('tar', ['--format=ustar', '-cf', `${work}.tar`, '-C', root, ...names]);
  }
  const files = names.length > 0 ? ['--files', `${work}.tar`] : [];
  execFileSync(`${sdk}/build-wasm`, [`${work}.elf`, work, module, ...files], { stdio: 'pipe' });
  rmSync(work, { recursive: true });
  return `${work}.elf`;
}

/** The exit code and the body of the response; for a crash, what is known of it. */
async function outcomeOf(fabric, image, { args, env }) {
  const name = basename(image, '.elf').toLowerCase();
  const limits = { memoryBytes: MEMORY_BYTES };
  try {
    const program = await fabric.deploy({ name, image, env, commandLine: args, limits });
    const response = await program.fetch('http://suite/');
    return { code: 0, output: await response.text() };
  } catch (error) {
    const said = `${error.details?.message ?? error.message}`;
    // Most write nothing, which is no response, and end with 0.
    const exit = /exit code (\d+)/.exec(said);
    const code = exit === null ? (/no CGI response/.test(said) ? 0 : said) : Number(exit[1]);
    return { code, output: '', said };
  }
}

const [suite, ...wanted] = process.argv.slice(2);
if (suite === undefined || !existsSync(`${suite}/tests`)) {
  console.error('Usage: node scripts/wasi-suite.mjs FOLDER [NAME…], of which FOLDER has tests/');
  process.exit(2);
}
const { Fabric } = await import('../dist/src/index.js');
const { pino } = await import('pino');
const folder = mkdtempSync(join(tmpdir(), 'hatchery-wasi-suite-'));
const log = [];
const logger = pino({ level: 'error' }, { write: (line) => log.push(JSON.parse(line).msg) });
const fabric = await Fabric.open({ logger });
const counts = { passed: 0, failed: 0 };
try {
  const sdk = writableSdk(folder);
  for (const tests of LANGUAGES.map((language) => `${suite}/tests/${language}/${TARGET}`)) {
    for (const file of readdirSync(tests).filter((one) => one.endsWith('.wasm'))) {
      const name = basename(file, '.wasm');
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const json = `${tests}/${name}.json`;
      const given = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : {};
      const spec = { ...{ args: [], env: {}, exit_code: 0, stdout: '' }, ...given };
      const root = spec.root ? `${tests}/${spec.root}` : undefined;
      log.length = 0;
      const image = imageOf(`${tests}/${file}`, root, sdk, folder);
      const { code, output, said = '' } = await outcomeOf(fabric, image, spec);
      rmSync(image);
      const passed = code === spec.exit_code && output === spec.stdout;
      counts[passed ? 'passed' : 'failed'] += 1;
      if (!passed) console.log(`FAILED ${name}: ${said}\n  ${log.slice(0, 3).join('\n  ')}`);
    }
  }
} finally {
  await fabric.close();
  rmSync(folder, { recursive: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
