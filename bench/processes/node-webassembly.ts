/**
 * `node dist/bench/processes/node-webassembly.js MODULE EXPORT TIMES`: what Node's own WebAssembly takes
 * for a call that gives a number. A line for each call, its result and its nanoseconds; the first is
 * counted from before the module is read, as nothing of it is known to the engine then.
 */
import { readFile } from 'node:fs/promises';

const [file = '', name = '', times = '1'] = process.argv.slice(2);

/** What of the standard this program uses; its types come with those of browsers. */
interface Engine {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ readonly instance: { readonly exports: Record<string, () => number> } }>;
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };

const imports = {
  hatchery: { request_head: () => 0, response_begin: () => 0, response_write: () => 0 },
};

let start = process.hrtime.bigint();
const { instance } = await WebAssembly.instantiate(await readFile(file), imports);
const work = instance.exports[name];
if (work === undefined) throw new Error(`the module has no ${name}`);
const lines: string[] = [];
for (let call = 0; call < Number(times); call++) {
  const result = work() >>> 0;
  const end = process.hrtime.bigint();
  lines.push(`${result} ${end - start}\n`);
  start = process.hrtime.bigint();
}
process.stdout.write(lines.join(''));
