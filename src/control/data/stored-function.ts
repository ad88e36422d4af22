/** What is kept of a function, and how it is read back: it is checked, since a disk may lie. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';

/** Everything that a user said of one version, but for its secrets' values. */
const SETTINGS = v.object({
  image: v.string(),
  env: v.record(v.string(), v.string()),
  limits: v.record(v.string(), v.number()),
  allowFetch: v.array(v.string()),
  strategy: v.optional(v.picklist(['boot', 'clone', 'pool', 'reset'])),
  poolSize: v.optional(v.number()),
  warmUp: v.boolean(),
  hosts: v.array(v.string()),
  commandLine: v.array(v.string()),
});

const VERSION = v.object({
  version: v.number(),
  createdAt: v.string(),
  settings: SETTINGS,
  /** Each sealed for its place, {@link secretPlace}. */
  secrets: v.record(v.string(), v.string()),
  code: v.optional(
    v.object({
      module: v.string(),
      /** A source map whose sources are paths in the upload. */
      map: v.string(),
    }),
  ),
});

/** What is looked at to see which versions there are; replaced in one step. */
const INDEX = v.object({
  name: v.string(),
  current: v.number(),
  versions: v.array(v.object({ version: v.number(), createdAt: v.string(), digest: v.string() })),
});

export type VersionSettings = v.InferOutput<typeof SETTINGS>;
export type StoredVersion = v.InferOutput<typeof VERSION>;
export type FunctionIndex = v.InferOutput<typeof INDEX>;

/** @throws Error where it is none */
export function parseVersion(text: string, digest: string): StoredVersion {
  if (digestOf(text) !== digest) {
    throw new Error('its checksum is wrong');
  }
  return v.parse(VERSION, JSON.parse(text));
}

/** @throws Error where it is none */
export function parseIndex(text: string): FunctionIndex {
  return v.parse(INDEX, JSON.parse(text));
}

/** SHA-256, hexadecimal. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A secret of one version cannot be put into another one's place. */
export function secretPlace(name: string, version: number, secret: string): string {
  return `functions/${name}/${version}/${secret}`;
}
