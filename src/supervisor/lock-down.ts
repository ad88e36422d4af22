/** What a worker gives up before it sees anything that a stranger wrote. */

import { lookup } from 'node:dns/promises';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HatcheryError } from '../errors.js';
import type { BuilderPlan, ProcessAddon } from './process-native.js';
import type { User } from './user.js';

/** Variables that a worker keeps; everything else of its parent's environment it never sees. */
export const KEPT_VARIABLES = [
  'TZ',
  'LANG',
  'NODE_ENV',
  'NO_COLOR',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'ASAN_OPTIONS',
  'UBSAN_OPTIONS',
  'HATCHERY_ADDONS',
  'HATCHERY_HIDE_KVM',
] as const;

/**
 * Looking names up, certificates, time zones, libraries and modules that are loaded late, and this
 * package.
 */
const READABLE = [
  '/etc',
  '/lib',
  '/lib64',
  '/usr/lib',
  '/usr/lib64',
  '/usr/share/zoneinfo',
  '/usr/share/ca-certificates',
  '/proc/meminfo',
  fileURLToPath(new URL('..', import.meta.url)),
  ...moduleFolders(),
];

/** Where modules of this package and of those that it needs may be. */
function moduleFolders(): string[] {
  const paths = createRequire(import.meta.url).resolve.paths('any') ?? [];
  return paths.filter((path) => path.endsWith('/node_modules'));
}

/** Threads of the worker user's, all workers together. */
const THREADS = 8192;

/** @param source defaults to this process's environment. */
export function workerEnvironment(source: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const name of KEPT_VARIABLES) {
    if (source[name] !== undefined) {
      kept[name] = source[name];
    }
  }
  return kept;
}

export interface LockDownOptions {
  readonly user: User | undefined;
  readonly openFiles: number;
  readonly supervisor: number;
  /** As a builder; default: as a worker. */
  readonly builder?: BuilderPlan;
  /** Nothing else may be read. Default: what a worker needs. */
  readonly onlyReadable?: readonly string[];
}

/**
 * Gives up all that serving requests does not need: see native/process. What has to be opened must be
 * open: /dev/kvm, all modules.
 * @param moreReadable files and folders that are to be readable, too.
 * @throws HatcheryError LOCK_DOWN_FAILED; the process may have lost some of its rights by then
 */
export async function lockDown(
  addon: ProcessAddon,
  options: LockDownOptions,
  moreReadable: readonly string[] = [],
): Promise<void> {
  const { onlyReadable } = options;
  if (onlyReadable === undefined) {
    // Lets the C library load what it needs to look names up.
    await lookup('localhost').catch(() => {});
  }
  process.chdir('/');
  const plan = {
    ...options.user,
    parent: options.supervisor,
    openFiles: options.openFiles,
    threads: THREADS,
    readable: onlyReadable ?? [
      ...[...READABLE, ...resolverFolder(), ...extraCertificates(), ...moreReadable],
    ],
    ...(options.builder === undefined ? {} : { builder: options.builder }),
  };
  try {
    addon.lockDown(plan);
  } catch (cause) {
    throw new HatcheryError('LOCK_DOWN_FAILED', { call: (cause as Error).message }, { cause });
  }
}

/** /etc/resolv.conf is often a link to a file that a daemon writes elsewhere. */
function resolverFolder(): string[] {
  try {
    return [dirname(realpathSync('/etc/resolv.conf'))];
  } catch {
    return [];
  }
}

function extraCertificates(): string[] {
  const { NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, SSL_CERT_DIR } = process.env;
  return [NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, SSL_CERT_DIR].filter((path) => path !== undefined);
}
