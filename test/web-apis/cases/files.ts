import { bytes, drain, equal, ok, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';
import { web } from '../web.js';

export const fileCases = [
  standard('Blob', 'made of texts, buffers, views and blobs', async () => {
    const parts = ['aü', bytes(98).buffer, bytes(0, 99).subarray(1), new Blob(['d'])];
    const blob = new Blob(parts, { type: 'Text/PLAIN' });
    equal(blob.size, 6);
    equal(blob.type, 'text/plain');
    equal(await blob.text(), 'aübcd');
    equal(new web.Blob().size, 0);
    equal(new Blob([], { type: 'ü' }).type, '');
    throws('TypeError', () => new Blob('text' as never));
  }),
  standard('Blob', 'slice', async () => {
    const blob = new Blob(['abcdef'], { type: 'a/b' });
    equal(await blob.slice(1, 3).text(), 'bc');
    equal(await blob.slice(-2).text(), 'ef');
    equal(await blob.slice(3, 1).text(), '');
    equal(blob.slice(0, 1).type, '');
    equal(blob.slice(0, 1, 'C/D').type, 'c/d');
  }),
  standard('Blob', 'arrayBuffer and stream', async () => {
    const blob = new Blob(['ab']);
    const buffer = await blob.arrayBuffer();
    new Uint8Array(buffer).fill(0);
    equal(await blob.text(), 'ab');
    const chunks = await drain(blob.stream() as ReadableStream<Uint8Array>);
    same(
      chunks.flatMap((chunk) => [...chunk]),
      [97, 98],
    );
  }),
  standard('File', 'name, type and time', async () => {
    const file = new File(['ab'], 'a/b.txt', { type: 'x/y', lastModified: 5 });
    ok(file instanceof Blob);
    equal(file.name, 'a/b.txt');
    equal(file.type, 'x/y');
    equal(file.lastModified, 5);
    equal(await file.text(), 'ab');
    ok(Math.abs(new File([], 'x').lastModified - Date.now()) < 1000);
    throws('TypeError', () => new (File as unknown as new (parts: []) => File)([]));
    equal(Object.prototype.toString.call(file), '[object File]');
  }),
  standard('FormData', 'get, getAll, has, set, append, delete', () => {
    const form = new FormData();
    form.append('a', '1');
    form.append('b', '2');
    form.append('a', '3');
    equal(form.get('a'), '1');
    equal(form.get('c'), null);
    same(form.getAll('a'), ['1', '3']);
    form.set('a', '4');
    same(
      [...form],
      [
        ['a', '4'],
        ['b', '2'],
      ],
    );
    form.delete('a');
    equal(form.has('a'), false);
  }),
  standard('FormData', 'blobs become files', () => {
    const form = new FormData();
    form.append('a', new Blob(['x'], { type: 'a/b' }));
    form.append('b', new Blob(['x']), 'name.txt');
    const file = new File(['x'], 'own.txt');
    form.append('c', file);
    form.append('d', file, 'other.txt');
    const names = [...form.values()].map((value) => (value as File).name);
    same(names, ['blob', 'name.txt', 'own.txt', 'other.txt']);
    equal((form.get('a') as File).type, 'a/b');
    equal(form.get('c'), file);
  }),
  standard('FormData', 'iterators and forEach', () => {
    const form = new FormData();
    form.append('a', '1');
    same([...form.keys()], ['a']);
    same([...form.entries()], [['a', '1']]);
    const seen: unknown[] = [];
    form.forEach((value, name) => {
      seen.push(name, value);
    });
    same(seen, ['a', '1']);
  }),
  difference('FormData', 'there are no form elements', () => {
    throws('TypeError', () => new web.FormData({}));
    new web.FormData(undefined);
  }),
];
