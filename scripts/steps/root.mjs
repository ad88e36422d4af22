// Where things are in a checkout. All paths are absolute.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** What the steps write to remember and to report: digests of inputs, logs of tools. */
export const STAMPS = path.join(ROOT, 'build/stamps');
export const LOGS = path.join(ROOT, 'build/logs');

/** Resolves a path that is relative to the checkout. */
export const at = (...parts) => path.join(ROOT, ...parts);
