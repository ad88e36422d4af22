/** `hatchery image …`: images that were built here, and folders that they go to and come from. */
import { ImageStore, type StoredImage } from '../../image/store/image-store.js';
import type { ImageUses } from '../../image/store/image-users.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { DescribeNoun } from '../remote/noun.js';
import { tableOf } from '../table.js';
import { describeBuild } from './build.js';

const EXAMPLES = `
Examples:
  hatchery image build app.wasm
  hatchery image ls
  hatchery image inspect app --json
  hatchery image push app /media/stick/images
  hatchery image pull /media/stick/images app
  hatchery image rm app
  hatchery image gc`;

const SHORT_DIGEST = 'sha256:'.length + 12;

export const describeImage: DescribeNoun = (noun, add, terminal, settle) => {
  noun.description('build images, and manage those that are stored').addHelpText('after', EXAMPLES);
  describeBuild(add('build'), terminal, settle);
  add('ls')
    .description('list the stored images')
    .action(async () => {
      const images = await new ImageStore().list();
      const rows = images.map(({ name, digest, size, config }) => [
        ...[name ?? '-', digest.slice(0, SHORT_DIGEST), config.kind, sizeOf(size)],
        memoryOf(config.limits.memoryBytes),
      ]);
      const titles = ['NAME', 'DIGEST', 'KIND', 'KIB', 'MEMORY'];
      terminal.result(tableOf(titles, rows), { images });
      settle(EXIT_CODES.ok.code);
    });
  add('inspect <image>')
    .description('show what an image is and how it was built; a name or a digest')
    .action(async (reference: string) => {
      const image = await new ImageStore().inspect(reference);
      terminal.result(describe(image), { image });
      settle(EXIT_CODES.ok.code);
    });
  add('push <image> <folder>')
    .description('copy an image to an OCI image layout in a folder, which is made if it is missing')
    .action(async (reference: string, folder: string) => {
      const { name, digest, whole } = await new ImageStore().read(reference);
      const called = name ?? nameFromDigest(digest);
      await new ImageStore(folder).put(whole, called);
      const event = { event: 'pushed', name: called, digest, folder };
      terminal.result(`Pushed ${called} to ${folder}\n  ${digest}`, event);
      settle(EXIT_CODES.ok.code);
    });
  add('pull <folder> [image]')
    .description('copy an image, or all, from an OCI image layout in a folder')
    .action(async (folder: string, reference: string | undefined) => {
      const from = new ImageStore(folder);
      const wanted =
        reference === undefined ? (await from.list()).map(({ digest }) => digest) : [reference];
      const pulled = [];
      for (const one of wanted) {
        const { name, digest, whole } = await from.read(one);
        const called = name ?? nameFromDigest(digest);
        await new ImageStore().put(whole, called);
        pulled.push({ name: called, digest });
      }
      const lines = pulled.map(({ name, digest }) => `Pulled ${name}\n  ${digest}`);
      terminal.result(lines.join('\n') || `There is no image in ${folder}`, {
        ...{ event: 'pulled', images: pulled, folder },
      });
      settle(EXIT_CODES.ok.code);
    });
  add('rm <image>')
    .description("take a name away, and with an image's last name the image; or all by a digest")
    .option('--force', "also where a server's functions need it: they cannot be started again then")
    .action(async (reference: string, { force }: { readonly force?: true }) => {
      const store = new ImageStore();
      await store.remove(reference, force ? undefined : await usesOf(store));
      terminal.result(`Removed ${reference}.`, { event: 'removed', image: reference });
      settle(EXIT_CODES.ok.code);
    });
  add('gc')
    .description(
      "remove images without a name that no server's functions need, and files of no image",
    )
    .action(async () => {
      const store = new ImageStore();
      const { BuildCache } = await import('../../image/build/build-cache.js');
      const removed = await store.collect(await usesOf(store));
      await new BuildCache(store).collect();
      const { images, blobs, bytes, kept } = removed;
      const text = `Removed ${images} images without a name and ${blobs} files, ${sizeOf(bytes)} KiB.`;
      const lines = kept.map(
        ({ image, function: name, data }) =>
          `Kept ${image.slice(0, SHORT_DIGEST)}: ${name} needs it, of the server with the data in ${data}.`,
      );
      terminal.result([text, ...lines].join('\n'), { event: 'collected', ...removed });
      settle(EXIT_CODES.ok.code);
    });
};

/** Loaded where it is needed only, as all commands of this noun are described together. */
async function usesOf(store: ImageStore): Promise<ImageUses> {
  const { usesOf: usesOfServers } = await import('../../control/data/image-uses.js');
  return () => usesOfServers(store);
}

function sizeOf(bytes: number): string {
  return (bytes / 1024).toFixed(0);
}

function memoryOf(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${bytes / 2 ** 20}MiB`;
}

/** A layout of somebody else's may have images without names. */
function nameFromDigest(digest: string): string {
  return `image-${digest.slice('sha256:'.length, SHORT_DIGEST)}`;
}

function describe({ name, digest, size, config }: StoredImage): string {
  const { abiVersion, kind, entry, manner, limits, provenance } = config;
  const { tools, flags, givenFlags, sdk, sources, files } = provenance;
  const facts: [string, string][] = [
    ['name', name ?? '-'],
    ['digest', digest],
    ['size', `${sizeOf(size)} KiB`],
    ['kind', manner === undefined ? kind : `${kind}, ${manner}`],
    ['entry', entry],
    ['ABI', String(abiVersion)],
    ['memory', memoryOf(limits.memoryBytes)],
    ['tools', Object.entries(tools).flat().join(' ')],
    ['flags', flags.join(' ')],
    ['given flags', givenFlags.join(' ') || '-'],
    ['SDK', sdk],
    ['files', files ?? '-'],
    ...sources.map((source): [string, string] => ['source', `${source.path} ${source.digest}`]),
  ];
  return facts.map(([title, value]) => `${title.padEnd(12)}${value}`).join('\n');
}
