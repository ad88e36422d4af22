// npm run docs:api: writes docs/api.md, of the schemas of the control API.
import { writeFile } from 'node:fs/promises';
import { at } from './steps/root.mjs';

const { reference } = await import('../dist/src/api/reference.js');
await writeFile(at('docs/api.md'), reference());
