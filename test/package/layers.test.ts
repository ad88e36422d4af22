/** Imports go down the list of layers in docs/architecture.md, and there are no cycles of files. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

/** Paths below `src/` of each row, the uppermost first: folders, and files with `.ts`. */
const rows = [...page.matchAll(/^\| ((?:`[^`]*`(?:, )?)+) \|/gm)]
  .map(([, cell = '']) => [...cell.matchAll(/`([^`]*)`/g)].map(([, path = '']) => path))
  .filter(([first = '']) => first.startsWith('src/'))
  .map((paths) => paths.map((path) => path.replace('src/', '')));

const files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .sort();

/** The first row that the file is in: a part of a folder is in the folder's layer. */
function layerOf(file: string): number {
  const fits = (path: string) => file === path || file.startsWith(`${path}/`);
  return rows.findIndex((paths) => paths.some(fits));
}

interface Import {
  readonly to: string;
  readonly isType: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, 'src', file), 'utf8');
  const statements = [
    ...text.matchAll(/^(?:import|export)\b(?<what>[^;'"]*?)\bfrom '(?<path>\.[^']*)'/gm),
    ...text.matchAll(/^import(?<what>) '(?<path>\.[^']*)'/gm),
    ...text.matchAll(/(?<what>typeof )?\bimport\('(?<path>\.[^']*)'\)/g),
  ];
  return statements.map(({ groups: { what = '', path = '' } = {} }) => ({
    to: relative(
      join(ROOT, 'src'),
      resolve(join(ROOT, 'src', dirname(file)), path.replace(/\.js$/, '.ts')),
    ),
    isType: /^\s*type(?:of)?\s/.test(what),
  }));
}

t.test('every file is in a layer', async (t) => {
  t.ok(rows.length > 10 && files.length > 200);
  t.same(
    files.filter((file) => layerOf(file) < 0),
    [],
  );
});

t.test('imports go down', async (t) => {
  const up = files.flatMap((file) =>
    importsOf(file)
      .filter(({ to }) => layerOf(to) < layerOf(file))
      .map(({ to }) => `${file} imports ${to}`),
  );
  t.same(up, []);
});

t.test('the client takes types from below and no code', async (t) => {
  const code = files
    .filter((file) => file.startsWith('client/'))
    .flatMap(importsOf)
    .filter(({ to, isType }) => !isType && !to.startsWith('client/'));
  t.same(code, []);
});

t.test('no file imports itself by others', async (t) => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    } else if (!done.has(file)) {
      for (const { to, isType } of importsOf(file)) {
        if (!isType && files.includes(to)) visit(to, [...path, file]);
      }
      done.add(file);
    }
  };
  for (const file of files) visit(file, []);
  t.same(cycles, []);
});
