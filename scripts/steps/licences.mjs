// The licences of npm packages that become a part of a file of ours: they ask for it.
import { readdirSync, readFileSync } from 'node:fs';
import { at } from './root.mjs';

/** @param {string[]} inputs paths of files, as esbuild names them, relative to the checkout */
export function licencesOf(inputs) {
  const folders = new Set(
    inputs.map((file) => file.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1]),
  );
  folders.delete(undefined);
  const texts = [...folders].sort().map((folder) => {
    const name = readdirSync(at(folder)).find((file) => /^licen[cs]e/i.test(file));
    const {
      name: title,
      version,
      license,
    } = JSON.parse(readFileSync(at(folder, 'package.json'), 'utf8'));
    const text = name === undefined ? '' : readFileSync(at(folder, name), 'utf8');
    return `${title} ${version}: ${license}\n\n${text}`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n`);
}
