/** What was built: the addon and the images. */
import { loadKvmAddon } from '../../drivers/kvm-native.js';
import { HatcheryError } from '../../errors.js';
import { Sdk } from '../../image/build/sdk.js';
import { Images, ParsedImages } from '../../image/images.js';
import type { Check } from './check.js';

/** Can the addon be loaded? */
export function checkAddon(): Check {
  try {
    return { name: 'addon', state: 'ok', detail: `ABI version ${loadKvmAddon().abiVersion}` };
  } catch (error) {
    const cause = (error as Error).cause;
    return {
      name: 'addon',
      state: 'lacking',
      detail: cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(error),
      remedy:
        'In a checkout run "npm run build:addon"; where Hatchery is installed as a package, ' +
        '"npm rebuild hatchery" compiles it (needs g++, make and python3).',
    };
  }
}

/** Is an image there, with the checksum that it was built with? */
export async function checkImage(image: string): Promise<Check> {
  const name = `image ${image}`;
  try {
    const { digest } = new ParsedImages().parse(await new Images().read(image));
    return { name, state: 'ok', detail: `sha256 ${digest.slice(0, 12)}…` };
  } catch (error) {
    return {
      name,
      state: image === 'js' ? 'lacking' : 'limited',
      detail: HatcheryError.from(error).message,
      remedy:
        'In a checkout run "npm run build:images"; a package brings its images: install it again.',
    };
  }
}

/** Is there what images of modules and C programs are built with? */
export async function checkSdk(): Promise<Check> {
  const name = 'guest SDK';
  try {
    const digest = await (await Sdk.open()).digest();
    return { name, state: 'ok', detail: `${digest.slice(0, 'sha256:'.length + 12)}…` };
  } catch (error) {
    return {
      name,
      state: 'limited',
      detail: 'not found: "hatchery image build" does not work',
      remedy: String(HatcheryError.from(error).details.remedy),
    };
  }
}
