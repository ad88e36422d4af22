import { fileURLToPath } from 'node:url';

/** The repository's top folder, seen from `dist/bench/harness/`. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Sources that are read as they are: C programs, the function that is measured. */
export const SOURCES = `${ROOT}bench/`;

/** What the benchmarks make: compiled programs, container bundles, packages of peers. */
export const BUILD = `${ROOT}build/bench/`;
