/** package.json and the lock file: exact, free of hosts, and of licences that go with MIT. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8');
const manifest = JSON.parse(read('package.json'));
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { version: string; license?: string; dev?: true; resolved?: string }>;
};

const PERMISSIVE = /^\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|Unlicense)\b/;

t.test('every version is exact', async (t) => {
  for (const [name, version] of Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
  })) {
    t.match(version, /^\d+\.\d+\.\d+$/, name);
    t.equal(lock.packages[`node_modules/${name}`]?.version, version, `${name} in the lock file`);
  }
});

t.test('the lock file names no registry', async (t) => {
  t.notMatch(read('package-lock.json'), /"resolved"/);
  t.match(read('.npmrc'), 'omit-lockfile-registry-resolved=true');
});

t.test('what is shipped with it is free to use', async (t) => {
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
  t.ok(shipped.length > 30);
  for (const [path, { license = 'none' }] of shipped) {
    t.match(license, PERMISSIVE, path);
  }
});
