/**
 * compile-prelude.mjs SOURCE RESULT: bundles the prelude and compiles it to the engine's bytecode,
 * with the same engine that the image runs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { QuickJS } from 'quickjs-wasi';

const STRIP_SOURCE = 1 << 4; // JS_WRITE_OBJ_STRIP_SOURCE of QuickJS-NG

const [source, result] = process.argv.slice(2);
const bundle = await build({
  entryPoints: [source],
  bundle: true,
  write: false,
  format: 'iife',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'es2023',
  legalComments: 'none',
  logLevel: 'warning',
});
const wasm = readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'));
const engine = await QuickJS.create({ wasm });
const text = bundle.outputFiles[0].text;
writeFileSync(result, engine.compile(text, 'hatchery:prelude', 0, STRIP_SOURCE));
