/** The operations on images that clients send. */
import type { OperationId } from '../../api/operations.js';
import type { StoredImage } from '../../image/store/image-store.js';
import type { Digest } from '../../image/store/layout.js';
import type { Functions } from '../functions/functions.js';
import type { Handlers } from '../http/handlers.js';
import type { BlobFacts, Uploads } from './uploads.js';

interface Parts {
  readonly functions: Functions;
  readonly uploads: Uploads;
}

type Some<Ids extends OperationId> = Pick<Handlers, Ids>;

export function imageHandlers({
  functions,
  uploads,
}: Parts): Some<'missingBlobs' | 'putBlob' | 'putImage' | 'listImages'> {
  return {
    // The schemas have seen to it that digests are some.
    missingBlobs: async ({ body }) => ({
      missing: await uploads.missing(body.blobs as readonly BlobFacts[]),
    }),
    putBlob: async ({ params, bytes, length }) => {
      const { digest } = params;
      return { digest, size: await uploads.receive(digest as Digest, bytes, length) };
    },
    putImage: async ({ params, body }) =>
      factsOf(await uploads.accept(params.digest as Digest, body.manifest)),
    listImages: async () => {
      const [images, all] = await Promise.all([uploads.list(), functions.list()]);
      const usersOf = (digest: string) =>
        all.filter(({ image }) => image === digest).map(({ name }) => name);
      return {
        images: images.map((image) => ({ ...factsOf(image), functions: usersOf(image.digest) })),
        bytes: uploads.bytes,
        limitBytes: uploads.limits.totalBytes,
      };
    },
  };
}

function factsOf({ digest, size, config }: StoredImage) {
  const { kind, limits } = config;
  const { memoryBytes } = limits;
  return { digest, kind, size, ...(memoryBytes === undefined ? {} : { memoryBytes }) };
}
