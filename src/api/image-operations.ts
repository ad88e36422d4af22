/** The operations on images that clients send. */
import { Type } from '@sinclair/typebox';
import { DIGEST_PATTERN } from '../image/store/image-name.js';
import { operation } from './operation.js';
import { Closed, FunctionName } from './shared-schemas.js';

const Digest = Type.String({
  pattern: DIGEST_PATTERN,
  description: '`sha256:` and 64 hexadecimal digits.',
});
const Params = Closed({ digest: Digest });
const Size = Type.Integer({ minimum: 0, description: 'bytes' });

const MANIFEST_BYTES = 32 * 1024;
const MOST_ASKED = 100;

const HELLO = 'hello';
const HELLO_DIGEST = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const OTHER_DIGEST = `sha256:${'0'.repeat(64)}`;

export const ImageFacts = Closed({
  digest: Digest,
  kind: Type.Union([Type.Literal('wasm'), Type.Literal('c')]),
  size: Type.Integer({ minimum: 0, description: 'Of its code, in bytes.' }),
  memoryBytes: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Of an instance, where its function does not say it.',
    }),
  ),
});

export const missingBlobs = operation({
  id: 'missingBlobs',
  method: 'POST',
  path: '/v1/blobs/missing',
  tag: 'Images',
  summary: 'Which blobs of an image are to be sent',
  description:
    'An image is sent in three steps: this one, a PUT of each blob that is missing, and a PUT of the ' +
    'manifest. Those that are here are kept for an hour from now on, as those that come. That they are ' +
    'too large, or that there is no room for them, is said before they are sent.',
  access: 'deploy',
  body: Closed({
    blobs: Type.Array(Closed({ digest: Digest, size: Size }), { maxItems: MOST_ASKED }),
  }),
  status: 200,
  response: Closed({ missing: Type.Array(Digest) }),
  errors: ['UPLOAD_TOO_LARGE', 'UPLOADS_FULL', 'DATA_UNUSABLE'],
  examples: [
    {
      summary: 'One that is not here',
      body: { blobs: [{ digest: HELLO_DIGEST, size: HELLO.length }] },
      status: 200,
    },
    {
      summary: 'One that is too large',
      body: { blobs: [{ digest: HELLO_DIGEST, size: 2 ** 40 }] },
      status: 413,
    },
  ],
});

export const putBlob = operation({
  id: 'putBlob',
  method: 'PUT',
  path: '/v1/blobs/:digest',
  tag: 'Images',
  summary: 'Send a blob',
  description:
    'The body is the blob as it is, `application/octet-stream`. It is compared with its digest while it ' +
    'comes, and is there whole or not at all. It may take as long as it takes, an hour at most, but must ' +
    'not pause for a minute. A blob that no manifest names within an hour is removed.',
  access: 'deploy',
  params: Params,
  takesBytes: true,
  status: 201,
  response: Closed({ digest: Digest, size: Size }),
  errors: ['UPLOAD_INVALID', 'UPLOAD_TOO_LARGE', 'UPLOADS_FULL', 'OVERLOADED', 'DATA_UNUSABLE'],
  examples: [
    { summary: 'One of five bytes', params: { digest: HELLO_DIGEST }, body: HELLO, status: 201 },
    { summary: 'One that was changed', params: { digest: OTHER_DIGEST }, body: HELLO, status: 422 },
  ],
});

export const putImage = operation({
  id: 'putImage',
  method: 'PUT',
  path: '/v1/images/:digest',
  tag: 'Images',
  summary: 'Make an image of blobs that were sent',
  description:
    'It passes the checks that `hatchery image pull` makes, and can then be deployed by its digest. One ' +
    'that no version of a function uses is removed after an hour.',
  access: 'deploy',
  params: Params,
  body: Closed({
    manifest: Type.String({
      maxLength: MANIFEST_BYTES,
      description: 'The OCI manifest, byte for byte: the digest is its.',
    }),
  }),
  status: 201,
  response: ImageFacts,
  errors: [
    ...(['UPLOAD_INVALID', 'UPLOAD_TOO_LARGE', 'UPLOADS_FULL', 'BLOBS_MISSING'] as const),
    'DATA_UNUSABLE',
  ],
  examples: [
    {
      summary: 'One that is no manifest',
      params: { digest: HELLO_DIGEST },
      body: { manifest: HELLO },
      status: 422,
    },
  ],
});

export const listImages = operation({
  id: 'listImages',
  method: 'GET',
  path: '/v1/images',
  tag: 'Images',
  summary: 'List the images that were sent',
  access: 'read',
  status: 200,
  response: Closed({
    images: Type.Array(
      Closed({
        ...ImageFacts.properties,
        functions: Type.Array(FunctionName, { description: 'Whose current version is of it.' }),
      }),
    ),
    bytes: Type.Integer({ minimum: 0, description: 'What all blobs take.' }),
    limitBytes: Type.Integer({ minimum: 0, description: 'What they may take.' }),
  }),
  errors: ['DATA_UNUSABLE'],
  examples: [{ summary: 'All', status: 200 }],
});
