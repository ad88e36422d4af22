// Lists the C++ sources of one native target, for binding.gyp.
import { readdirSync } from 'node:fs';
import path from 'node:path';

const folder = path.join('native', process.argv[2]);
for (const name of readdirSync(folder).sort()) {
  if (name.endsWith('.cc')) console.log(path.join(folder, name));
}
