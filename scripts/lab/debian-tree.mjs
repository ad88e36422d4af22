// The Debian packages of Dom0, unpacked into a folder of the cache. Nothing of them is configured or run,
// so it takes seconds and needs no rights.
import { runLogged } from '../steps/command.mjs';
import { cached, keyOf } from './cache.mjs';
import { PACKAGES, RELEASE } from './recipe.mjs';

const OPTIONS = [
  '--variant=extract',
  // Not read by anybody, and a third of the size.
  ...['doc', 'man', 'locale', 'info', 'lintian'].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  ),
];

/** The key of the tree: what is in it, but not which versions Debian had on the day. */
export const treeKey = () => keyOf([RELEASE, ...OPTIONS, ...PACKAGES]);

/**
 * Unpacks the packages if the cache does not have them.
 *
 * @returns {Promise<string>} the folder
 * @throws {import('../steps/step.mjs').StepFailure} when the packages cannot be had
 */
export function debianTree() {
  return cached('debian', treeKey(), async (folder) => {
    await runLogged(
      'lab-debian',
      ['mmdebstrap', ...OPTIONS, `--include=${PACKAGES.join(',')}`, RELEASE, folder],
      { remedy: 'check that the package servers of Debian can be reached ("apt-get update")' },
    );
  });
}
