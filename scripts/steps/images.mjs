// The guest images: images/NAME/build.sh, each run again only when its inputs changed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { at } from './root.mjs';
import { StepFailure } from './step.mjs';

const OUT = 'dist/images';

/** Names of all images: the folders that hold a build.sh. */
export function imageNames() {
  return readdirSync(at('images')).filter((name) => existsSync(at('images', name, 'build.sh')));
}

let cachedTools;
function toolVersions() {
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
  const files = filesBelow(['images/abi', 'images/kernel', `images/${name}`]);
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
    isCurrent: () => existsSync(elf) && isStamped(`image-${name}`, digest(name)),
    async run() {
      const before = digest(name);
      const cache = at('build/cache/images');
      mkdirSync(at(OUT), { recursive: true });
      mkdirSync(cache, { recursive: true });
      await runLogged(`image-${name}`, ['bash', at('images', name, 'build.sh'), at(OUT)], {
        env: { CACHE_DIR: cache },
      });
      if (!existsSync(elf)) throw new StepFailure(`images/${name}/build.sh made no ${name}.elf`);
      writeFileSync(`${elf}.sha256`, `${checksumOf(elf)}  ${name}.elf\n`);
      stamp(`image-${name}`, before);
    },
  };
}
