// Which npm packages a set of packages needs, as the lock file has them.
import { existsSync, readFileSync } from 'node:fs';
import { at } from '../steps/root.mjs';
import { cached, keyOf } from './cache.mjs';
import { Archive } from './cpio.mjs';
import { bundledTap } from './tap-bundle.mjs';

/** What tests in Dom0 import, beside what Hatchery itself needs and tap (tap-bundle.mjs). */
const TEST_PACKAGES = ['fast-check'];

/** Files that no program reads when it runs. */
const UNREAD = /(\.d\.[cm]?ts|\.map|\.md|\.ts|\.flow|\.h)$/;

/** The place of a package as seen from another place, as Node looks for it. */
function placeOf(packages, from, name) {
  for (let folder = from; ; ) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place]) return place;
    if (folder === '') return undefined;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1));
  }
}

/** The places (`node_modules/…`) of all packages that Hatchery and its tests need, sorted. */
function neededPlaces({ packages }) {
  const places = new Set();
  const waiting = [...Object.keys(packages[''].dependencies), ...TEST_PACKAGES].map((name) => ({
    from: '',
    name,
  }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const place = placeOf(packages, next.from, next.name);
    if (place === undefined || places.has(place)) continue;
    places.add(place);
    const { dependencies, optionalDependencies } = packages[place];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      waiting.push({ from: place, name });
    }
  }
  return [...places].sort();
}

/** An archive of these packages; made again when the lock file changed. */
export function packagesArchive() {
  const lock = readFileSync(at('package-lock.json'));
  const recipe = ['npm-packages', 'cpio', 'tap-bundle'].map((name) =>
    readFileSync(at('scripts/lab', `${name}.mjs`)),
  );
  return cached('packages', keyOf([lock, ...recipe]), async (file) => {
    const archive = new Archive(file);
    for (const place of neededPlaces(JSON.parse(lock))) {
      // Packages for other systems are in the lock file, too.
      if (!existsSync(at(place))) continue;
      archive.copy(
        at(place),
        `hatchery/${place}`,
        (from) => !UNREAD.test(from) && !from.endsWith('/node_modules'),
      );
    }
    archive.file('hatchery/node_modules/tap/bundle.js', await bundledTap());
    archive.close();
  });
}
