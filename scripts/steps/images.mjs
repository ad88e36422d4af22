// The guest images: images/NAME/build.sh, each run again only when its inputs changed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { at } from './root.mjs';
import { StepFailure } from './step.mjs';

const OUT = 'dist/images';
const CACHE = at('build/cache/images');
const MADE = at('build/images');

/** Names of all images: the folders that hold a build.sh. */
export function imageNames() {
  return readdirSync(at('images')).filter((name) => existsSync(at('images', name, 'build.sh')));
}

let cachedTools;
/** What guest code is compiled and translated with. */
export function toolVersions() {
  cachedTools ??= ['gcc', 'wasm2c'].map((tool) => {
    try {
      return execFileSync(tool, ['--version'], { encoding: 'utf8' }).split('\n')[0];
    } catch {
      return 'none';
    }
  });
  return cachedTools;
}

function digest(name) {
  // The prelude has the encoding of values from the host's sources.
  const shared = name === 'js' ? ['src/structured-values.ts', 'src/structured-values'] : [];
  // It is linked with the SDK's C library.
  const library = name === 'lua' ? ['images/files', 'images/gateway', 'images/posix'] : [];
  const files = filesBelow([
    ...['images/abi', 'images/kernel', `images/${name}`],
    ...shared,
    ...library,
  ]);
  const packages = ['quickjs-wasi', 'esbuild', 'web-streams-polyfill'].map(lockedVersion);
  return digestOf(files, [toolVersions(), packages]);
}

function checksumOf(elf) {
  return createHash('sha256').update(readFileSync(elf)).digest('hex');
}

/** A step that builds one image to dist/images/NAME.elf and NAME.elf.sha256. */
export function imageStep(name) {
  const elf = at(OUT, `${name}.elf`);
  return {
    name: `image ${name}`,
    title: `guest image ${OUT}/${name}.elf`,
    remedy: `read the log; "npm run build:images" tries again`,
    // It is linked with the SDK.
    optional: name === 'lua',
    isCurrent: () => existsSync(elf) && isStamped(`image-${name}`, digest(name)),
    async run() {
      const before = digest(name);
      for (const folder of [at(OUT), CACHE, MADE]) mkdirSync(folder, { recursive: true });
      await runLogged(`image-${name}`, ['bash', at('images', name, 'build.sh'), MADE], {
        env: { CACHE_DIR: CACHE },
      });
      const made = path.join(MADE, `${name}.elf`);
      if (!existsSync(made)) throw new StepFailure(`images/${name}/build.sh made no ${name}.elf`);
      writeFileSync(`${made}.sha256`, `${checksumOf(made)}  ${name}.elf\n`);
      // At one go: somebody may be serving with the image before it.
      renameSync(made, elf);
      renameSync(`${made}.sha256`, `${elf}.sha256`);
      stamp(`image-${name}`, before);
    },
  };
}
