/**
 * What is in an image store: the OCI image layout (image-spec 1.1, image-layout.md, image-index.md,
 * manifest.md), and Hatchery's own configuration of an image. All of it is read from a disk or from
 * somebody else, so it is checked.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type Digest, isDigest } from './image-name.js';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
export const BLOB_FOLDER = 'blobs/sha256';
export const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const IMAGE_TYPE = 'application/vnd.hatchery.image.v1';
const CONFIG_TYPE = 'application/vnd.hatchery.image.config.v1+json';
const ELF_TYPE = 'application/vnd.hatchery.image.elf.v1';
/** Where a layout keeps the names of its images. */
export const NAME_ANNOTATION = 'org.opencontainers.image.ref.name';

export type { Digest };

const DIGEST = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const COUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const TEXTS = v.record(v.string(), v.string());

const DESCRIPTOR = v.object({
  mediaType: v.string(),
  digest: DIGEST,
  size: COUNT,
  annotations: v.optional(TEXTS),
});
export type Descriptor = v.InferOutput<typeof DESCRIPTOR>;

const LAYOUT = v.object({ imageLayoutVersion: v.literal('1.0.0') });

const INDEX = v.object({ schemaVersion: v.literal(2), manifests: v.array(DESCRIPTOR) });

const MANIFEST = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.literal(MANIFEST_TYPE),
  artifactType: v.literal(IMAGE_TYPE),
  config: v.object({ ...DESCRIPTOR.entries, mediaType: v.literal(CONFIG_TYPE) }),
  layers: v.strictTuple([v.object({ ...DESCRIPTOR.entries, mediaType: v.literal(ELF_TYPE) })]),
});
export type Manifest = v.InferOutput<typeof MANIFEST>;

/** A source's path as it was given, and its SHA-256. */
const SOURCE = v.object({ path: v.string(), digest: DIGEST });

const PROVENANCE = v.object({
  /** Programs by name, with their versions. */
  tools: TEXTS,
  /** What the compiler was told by the build, and by who asked for it. */
  flags: v.array(v.string()),
  givenFlags: v.array(v.string()),
  /** SHA-256 of the guest SDK: the library OS and its headers. */
  sdk: DIGEST,
  sources: v.array(SOURCE),
  /** The packed files, where there are some. */
  files: v.optional(DIGEST),
});

const CONFIG = v.object({
  abiVersion: COUNT,
  kind: v.picklist(['wasm', 'c']),
  /** Address of the first instruction, hexadecimal. */
  entry: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,16}$/)),
  /** How a WebAssembly module answers requests. */
  manner: v.optional(v.picklist(['command', 'reactor'])),
  /** Limits of functions that say none of their own. */
  limits: v.object({ memoryBytes: v.optional(COUNT) }),
  provenance: PROVENANCE,
});
export type ImageConfig = v.InferOutput<typeof CONFIG>;
export type Provenance = v.InferOutput<typeof PROVENANCE>;

/** All of an image, as bytes that its digests are of. */
export interface WholeImage {
  readonly digest: Digest;
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  readonly elf: Uint8Array;
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The image of an ELF file: the same for the same bytes and configuration. */
export function composeImage(config: ImageConfig, elf: Uint8Array): WholeImage {
  // Its fields in one order, wherever it comes from.
  const configBytes = Buffer.from(JSON.stringify(v.parse(CONFIG, config)));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: IMAGE_TYPE,
      config: descriptorOf(CONFIG_TYPE, configBytes),
      layers: [descriptorOf(ELF_TYPE, elf)],
    }),
  );
  return { digest: digestOf(manifest), manifest, config: configBytes, elf };
}

function descriptorOf(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** The entry of an image in an index. */
export function manifestDescriptor(manifest: Uint8Array, name: string | undefined): Descriptor {
  const annotations = name === undefined ? {} : { annotations: { [NAME_ANNOTATION]: name } };
  return { ...descriptorOf(MANIFEST_TYPE, manifest), ...annotations };
}

/** @throws Error where it is none */
export function checkLayout(text: string): void {
  v.parse(LAYOUT, JSON.parse(text));
}

/** The images of an index. @throws Error where it is none */
export function parseIndex(text: string): readonly Descriptor[] {
  return v.parse(INDEX, JSON.parse(text)).manifests;
}

export function indexText(manifests: readonly Descriptor[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
}

/** @throws Error where it is no manifest of an image of Hatchery */
export function parseManifest(bytes: Uint8Array): Manifest {
  return v.parse(MANIFEST, JSON.parse(Buffer.from(bytes).toString()));
}

/** @throws Error where it is none */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  return v.parse(CONFIG, JSON.parse(Buffer.from(bytes).toString()));
}
