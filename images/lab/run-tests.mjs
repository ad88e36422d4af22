// node run-tests.mjs FILE…: runs compiled test files one after the other, all in one process, since a Node
// with what tests load needs seconds to start in emulation. One that hangs or crashes costs no other: its
// process is ended, and the rest runs in a new one. A line of its own says which file begins
// ("@file NAME"), and how it ended ("@end", with words where it was not as it should be); in between is the
// file's TAP. "@alive" comes every few seconds: without it the machine stands still.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Milliseconds that one file may take; tap itself is told a little less (TAP_TIMEOUT). */
const FILE_MILLISECONDS = 170_000;
const LOADER = fileURLToPath(new URL('load-tests.mjs', import.meta.url));
const ALIVE_MILLISECONDS = 5_000;
/** A subtest's lines, in its parent's TAP. */
const INDENT = '    ';

const waiting = process.argv.slice(2);

/** Tells the host about the file that runs, and ends the process when that takes too long. */
class CurrentFile {
  #timer;
  #name;

  constructor(child) {
    this.child = child;
  }

  begin(name) {
    this.#name = name;
    waiting.splice(waiting.indexOf(name), 1);
    process.stdout.write(`@file ${name}\n`);
    this.#timer = setTimeout(() => this.child.kill('SIGKILL'), FILE_MILLISECONDS);
  }

  /** @param {string} ending empty where it was as it should be */
  end(ending) {
    if (this.#name === undefined) return;
    clearTimeout(this.#timer);
    this.#name = undefined;
    process.stdout.write(`\n@end ${ending}\n`);
  }

  read(line) {
    const [, began] = /^# Subtest: (.*)$/.exec(line) ?? [];
    if (began !== undefined && waiting.includes(began)) this.begin(began);
    else if (line.startsWith(INDENT)) process.stdout.write(`${line.slice(INDENT.length)}\n`);
    // Failed points say so themselves.
    else if (/^(not )?ok /.test(line)) this.end('');
  }
}

/** Runs what is waiting, until all of it has run or the process ends. */
async function runTogether() {
  const child = spawn(process.execPath, ['--enable-source-maps', LOADER], {
    // Not as arguments: tap makes names of folders of these.
    env: { ...process.env, HATCHERY_TEST_FILES: JSON.stringify(waiting) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const current = new CurrentFile(child);
  const ended = new Promise((resolve) => child.once('close', (...how) => resolve(how)));
  for await (const line of createInterface({ input: child.stdout })) current.read(line);
  const [code, signal] = await ended;
  current.end(signal ? `the file was ended by ${signal}` : `the file ended with code ${code}`);
  if (code !== 0) process.exitCode = 1;
}

const alive = setInterval(() => process.stdout.write('@alive\n'), ALIVE_MILLISECONDS);
for (let before; waiting.length > 0 && waiting.length !== before; ) {
  before = waiting.length;
  await runTogether();
}
clearInterval(alive);
