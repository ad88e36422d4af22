// node run-tests.mjs FILE…: runs compiled test files in one process, one after the other, each as a subtest
// that has the file's name. One process, since a Node needs seconds to start in emulation.
import { pathToFileURL } from 'node:url';
import { root, setRoot } from 'tap';

for (const file of process.argv.slice(2)) {
  await root.test(file, async (test) => {
    setRoot(test);
    await import(pathToFileURL(file).href);
  });
}
// What a file left behind must not keep the machine running.
root.teardown(() => setImmediate(() => process.exit()));
