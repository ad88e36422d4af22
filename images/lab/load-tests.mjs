// Runs the compiled test files that HATCHERY_TEST_FILES names, each as a subtest of its name; see
// run-tests.mjs.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setRoot } from 'tap';

const files = JSON.parse(process.env.HATCHERY_TEST_FILES);
const fileMilliseconds = Number(process.env.TAP_TIMEOUT) * 1000;

root.setTimeout(files.length * fileMilliseconds);
for (const file of files) {
  await root.test(file, { timeout: fileMilliseconds }, async (test) => {
    setRoot(test);
    await import(pathToFileURL(path.resolve(file)).href);
  });
}
// What a file left behind must not keep the machine running.
root.teardown(() => setImmediate(() => process.exit()));
