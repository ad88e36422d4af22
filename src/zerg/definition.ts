/** The function that renders the Zerg page, as it is deployed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FunctionDefinition } from '../fabric/definition.js';
import { ZERG } from './zerg-page.js';

const MEBIBYTE = 1024 * 1024;
const SCRIPT = new URL('./browser/page.js', import.meta.url);

/** @param version of the package. */
export function zergDefinition(version: string): FunctionDefinition {
  // The record of where it was compiled from means nothing in a page.
  const script = readFileSync(SCRIPT, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  return {
    name: ZERG,
    source:
      "import { pageFunction } from './function/page-function.js';\n" +
      `export default pageFunction(${JSON.stringify(script)});\n`,
    folder: fileURLToPath(new URL('.', import.meta.url)),
    env: { HATCHERY_VERSION: version, DEPLOYED_AT: new Date().toISOString() },
    limits: {
      memoryBytes: 32 * MEBIBYTE,
      wallMilliseconds: 5_000,
      cpuMilliseconds: 1_000,
      maxRequestBodyBytes: 0,
      maxHostCalls: 0,
      maxLogBytes: 4_096,
    },
  };
}
