// Lists the C++ sources of one native target, all those in the folders named, for binding.gyp. A folder
// that is not there has none: binding.gyp names all targets, also those that are not asked for.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

for (const part of process.argv.slice(2)) {
  const folder = path.join('native', part);
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    if (name.endsWith('.cc')) console.log(path.join(folder, name));
  }
}
