// What `import … from 'tap'` gives in the lab, where many test files run in one process: each file's tests
// are those of a subtest of its own, as far as the file can tell the root. A file that is run alone has the
// root itself.
import root from './bundle.js';

let current = root;

export { root };

/** Makes a test the root of the files that are loaded from now on. */
export function setRoot(test) {
  current = test;
}

export default new Proxy(root, {
  get(_, name) {
    const value = current[name];
    return typeof value === 'function' ? value.bind(current) : value;
  },
});

export * from './bundle.js';

/** The functions of the root that test files import by name. */
const forward =
  (name) =>
  (...args) =>
    current[name](...args);
export const test = forward('test');
export const skip = forward('skip');
export const before = forward('before');
export const beforeEach = forward('beforeEach');
export const after = forward('after');
export const afterEach = forward('afterEach');
export const teardown = forward('teardown');
