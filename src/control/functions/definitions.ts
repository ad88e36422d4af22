/** From what the API is sent to what is kept, and to what a fabric deploys. */
import { isDeepStrictEqual } from 'node:util';
import type { BodyOf } from '../../api/operation.js';
import type { Operations } from '../../api/operations.js';
import { HatcheryError } from '../../errors.js';
import {
  checkDefinition,
  type FunctionDefinition,
  JAVASCRIPT_IMAGE,
  LUA_IMAGE,
  takesCode,
} from '../../fabric/definition.js';
import { EMPTY_MAP, limitsOf, type PreparedFunction } from '../../fabric/prepared.js';
import type { Images } from '../../image/images.js';
import { isDigest } from '../../image/store/image-name.js';
import { ZERG } from '../../zerg/zerg-page.js';
import type { BundleOrder } from '../bundling/bundle-upload.js';
import { isUploadPath, UPLOAD_FOLDER } from '../bundling/upload.js';
import type { NewVersion, OpenedVersion } from '../data/function-store.js';
import type { VersionSettings } from '../data/stored-function.js';

export type DeployBody = BodyOf<Operations['deployFunction']>;

/** A secret that is to be kept as it is. */
const KEEP = null;

/**
 * Reads what the schema cannot say.
 * @param before the current version, for the secrets that are to be kept.
 * @throws HatcheryError CONFIGURATION_INVALID with the field's path
 */
export function settingsOf(
  name: string,
  body: DeployBody,
  before: OpenedVersion | undefined,
): Pick<NewVersion, 'settings' | 'secrets'> {
  const { image, hosts = [] } = body;
  if (name === ZERG) {
    throw invalid('name', `${ZERG} is the name of the server's own page`);
  }
  const fields = ['source', 'bundle', 'script', 'image'] as const;
  if (fields.filter((field) => body[field] !== undefined).length !== 1) {
    throw invalid('source', 'exactly one of it, bundle, script and image must be given');
  }
  const settings: VersionSettings = {
    image: image ?? (body.script === undefined ? JAVASCRIPT_IMAGE : LUA_IMAGE),
    env: body.env ?? {},
    limits: body.limits ?? {},
    allowFetch: body.allowFetch ?? [],
    warmUp: body.warmUp ?? false,
    hosts,
    commandLine: body.commandLine ?? [],
    ...(body.strategy === undefined ? {} : { strategy: body.strategy }),
    ...(body.poolSize === undefined ? {} : { poolSize: body.poolSize }),
  };
  const secrets = secretsOf(body, before);
  if (image === JAVASCRIPT_IMAGE) {
    throw invalid('image', 'js is for source and bundle');
  }
  if (image === LUA_IMAGE) {
    throw invalid('image', 'lua is for script');
  }
  checkDefinition(definitionOf(name, settings, secrets));
  return { settings, secrets };
}

function secretsOf(
  { secrets = {} }: DeployBody,
  before: OpenedVersion | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).map(([secret, value]) => {
      const kept = value === KEEP ? before?.secrets[secret] : value;
      if (kept === undefined) {
        throw invalid(`secrets.${secret}`, 'the current version has no such secret to keep');
      }
      return [secret, kept];
    }),
  );
}

/** What is to be bundled; `undefined` for a script and an image. @throws HatcheryError CONFIGURATION_INVALID */
export function bundleOrderOf({ source, bundle }: DeployBody): BundleOrder | undefined {
  if (bundle !== undefined) {
    return { code: bundle.code, map: bundle.map };
  }
  if (source === undefined) {
    return undefined;
  }
  const { entry, files } = source;
  for (const path of Object.keys(files)) {
    if (!isUploadPath(path)) {
      throw invalid(`source.files.${path}`, 'is not a relative path below the upload');
    }
  }
  if (!Object.hasOwn(files, entry)) {
    throw invalid('source.entry', 'is not one of source.files');
  }
  return source;
}

/** The code of a version that nobody bundles. */
export function scriptOf({ script }: DeployBody): NewVersion['code'] {
  return script === undefined ? undefined : { module: script, map: EMPTY_MAP };
}

/** Whether what is sent would become the version that there is; of source nobody can tell. */
export function isSameVersion(name: string, body: DeployBody, version: OpenedVersion): boolean {
  const { settings, secrets, code } = version;
  return (
    isSameCode(body, code) &&
    isDeepStrictEqual({ settings, secrets }, settingsOf(name, body, version))
  );
}

function isSameCode({ bundle, script, image }: DeployBody, code: NewVersion['code']): boolean {
  if (bundle === undefined) {
    return script === undefined ? image !== undefined && isDigest(image) : code?.module === script;
  }
  return (
    bundle.map !== undefined &&
    code?.module === bundle.code &&
    // Where its sources are said to be differs, as they are moved into the upload.
    mappingsOf(code.map) === mappingsOf(bundle.map)
  );
}

/** `undefined` where it is no source map. */
function mappingsOf(map: string): unknown {
  try {
    return (JSON.parse(map) as { readonly mappings?: unknown }).mappings;
  } catch {
    return undefined;
  }
}

/** @throws HatcheryError IMAGE_MISSING without the path on this machine, IMAGE_INVALID */
export async function prepareVersion(
  name: string,
  { settings, secrets, code }: NewVersion,
  images: Images,
): Promise<PreparedFunction> {
  const { bindings: _, ...checked } = checkDefinition(definitionOf(name, settings, secrets));
  const { image: imageName } = settings;
  const image = await images.read(imageName).catch((error: unknown) => {
    const known = HatcheryError.from(error);
    throw known.code === 'IMAGE_MISSING'
      ? new HatcheryError('IMAGE_MISSING', { image: imageName }, { cause: error })
      : known;
  });
  const bundle = code && {
    code: new TextEncoder().encode(code.module),
    map: code.map,
    inputs: [],
    milliseconds: 0,
  };
  const definition = { ...checked, limits: limitsOf(checked, image) };
  return { definition, bundle, image, workingFolder: UPLOAD_FOLDER };
}

function definitionOf(
  name: string,
  settings: VersionSettings,
  secrets: Readonly<Record<string, string>>,
): FunctionDefinition {
  const { image, strategy, poolSize, ...rest } = settings;
  return {
    name,
    ...rest,
    secrets,
    image,
    // What is in it was bundled already.
    ...(takesCode(image) ? { source: '' } : {}),
    ...(strategy === undefined ? {} : { strategy }),
    ...(poolSize === undefined ? {} : { poolSize }),
  };
}

function invalid(path: string, problem: string): HatcheryError {
  return new HatcheryError('CONFIGURATION_INVALID', { path, problem });
}
