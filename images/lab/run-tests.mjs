// node run-tests.mjs FILE…: runs compiled test files one after the other, each in a process of its own, so
// that one that hangs or crashes costs no other. A line of its own says which file begins ("@file NAME"),
// and how it ended ("@end", with words where it was not as it should be).
import { spawn } from 'node:child_process';

/** Milliseconds that one file may take; tap itself is told a little less (TAP_TIMEOUT). */
const FILE_MILLISECONDS = 170_000;

function run(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', file], { stdio: 'inherit' });
    const timer = setTimeout(() => child.kill('SIGKILL'), FILE_MILLISECONDS);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve('');
      else resolve(signal ? `the file was ended by ${signal}` : `the file ended with code ${code}`);
    });
  });
}

for (const file of process.argv.slice(2)) {
  process.stdout.write(`@file ${file}\n`);
  const ending = await run(file);
  process.stdout.write(`\n@end ${ending}\n`);
  if (ending) process.exitCode = 1;
}
