import { equal, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';

const LINE = 'Headers';

export const headersCases = [
  standard(LINE, 'names are matched without regard to case and given in lower case', () => {
    const headers = new Headers({ 'X-One': '1' });
    equal(headers.get('x-ONE'), '1');
    equal(headers.has('X-ONE'), true);
    same([...headers], [['x-one', '1']]);
  }),
  standard(LINE, 'get of a name that is not there is null', () => {
    equal(new Headers().get('x'), null);
  }),
  standard(LINE, 'append joins values with a comma, set replaces them', () => {
    const headers = new Headers([
      ['a', '1'],
      ['b', '2'],
    ]);
    headers.append('A', '3');
    equal(headers.get('a'), '1, 3');
    headers.set('a', '4');
    equal(headers.get('a'), '4');
  }),
  standard(LINE, 'iteration is sorted by name and sees changes', () => {
    const headers = new Headers({ c: '3', a: '1' });
    const seen: string[] = [];
    for (const [name] of headers) {
      seen.push(name);
      if (name === 'a') headers.append('b', '2');
    }
    same(seen, ['a', 'b', 'c']);
    same([...headers.keys()], ['a', 'b', 'c']);
    same([...headers.values()], ['1', '2', '3']);
  }),
  standard(LINE, 'each Set-Cookie is kept for itself', () => {
    const headers = new Headers();
    headers.append('Set-Cookie', 'a=1');
    headers.append('Set-Cookie', 'b=2');
    same(headers.getSetCookie(), ['a=1', 'b=2']);
    same(
      [...headers],
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    );
    equal(headers.get('set-cookie'), 'a=1, b=2');
  }),
  standard(LINE, 'values lose their outer whitespace', () => {
    equal(new Headers({ a: ' \t1 2\r\n' }).get('a'), '1 2');
  }),
  standard(LINE, 'bad names and values are TypeErrors', () => {
    throws('TypeError', () => new Headers({ 'a b': '1' }));
    throws('TypeError', () => new Headers({ '': '1' }));
    throws('TypeError', () => new Headers({ a: 'x\ny' }));
    throws('TypeError', () => new Headers({ a: 'x\0y' }));
    throws('TypeError', () => new Headers({ a: '€' }));
    throws('TypeError', () => new Headers().get('a b'));
    throws('TypeError', () => new Headers([['a']] as never));
    throws('TypeError', () => new Headers(null as never));
  }),
  standard(LINE, 'delete removes all values', () => {
    const headers = new Headers([
      ['a', '1'],
      ['a', '2'],
    ]);
    headers.delete('A');
    equal(headers.has('a'), false);
  }),
  standard(LINE, 'forEach gives value, name and the headers', () => {
    const headers = new Headers({ a: '1' });
    const calls: unknown[] = [];
    headers.forEach((value, name, all) => {
      calls.push(value, name, all === headers);
    });
    same(calls, ['1', 'a', true]);
  }),
  standard(LINE, 'a copy is independent', () => {
    const headers = new Headers({ a: '1' });
    const copy = new Headers(headers);
    copy.set('a', '2');
    equal(headers.get('a'), '1');
  }),
  standard(LINE, 'the class string', () => {
    equal(Object.prototype.toString.call(new Headers()), '[object Headers]');
  }),
  difference(LINE, 'a request carries headers that a browser forbids', () => {
    const { headers } = new Request('http://h/', { headers: { host: 'a', cookie: 'b=1' } });
    equal(headers.get('host'), 'a');
    equal(headers.get('cookie'), 'b=1');
  }),
];
