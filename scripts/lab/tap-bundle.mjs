// The test framework as one file: in emulation, finding and compiling its two hundred files takes longer
// than many tests do.
import { build } from 'esbuild';
import { at } from '../steps/root.mjs';

/** This module asks for a package by a way that the bundler does not follow. */
const REACT = /\/tcompare\/dist\/esm\/react-element-to-jsx-string\.js$/;

const followed = {
  name: 'follow',
  setup: ({ onLoad }) =>
    onLoad({ filter: REACT }, () => ({
      contents: "import print from 'react-element-to-jsx-string'; export default print;",
      resolveDir: at('node_modules/tcompare'),
    })),
};

/** The text of a module that exports what the package `tap` exports. */
export async function bundledTap() {
  const { outputFiles } = await build({
    entryPoints: [at('node_modules/tap/dist/esm/index.js')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
    plugins: [followed],
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  return outputFiles[0].text;
}
