import { equal, same, throws } from '../assert.js';
import { standard } from '../case.js';

const LINE = 'URLSearchParams';

export const urlSearchParamsCases = [
  standard(LINE, 'from text', () => {
    const parameters = new URLSearchParams('?a=1&b=%C3%BC+%20&&c&=d&a=2=3');
    same(
      [...parameters],
      [
        ['a', '1'],
        ['b', 'ü  '],
        ['c', ''],
        ['', 'd'],
        ['a', '2=3'],
      ],
    );
    equal(parameters.size, 5);
  }),
  standard(LINE, 'bad escapes stay, bad UTF-8 is replaced', () => {
    equal(new URLSearchParams('a=%zz%4').get('a'), '%zz%4');
    equal(new URLSearchParams('a=%ff%41').get('a'), '\ufffdA');
  }),
  standard(LINE, 'from a record, pairs and another one', () => {
    equal(new URLSearchParams({ b: '2', a: '1' }).toString(), 'b=2&a=1');
    equal(new URLSearchParams([['a', '1']]).toString(), 'a=1');
    equal(new URLSearchParams(new URLSearchParams('a=1')).toString(), 'a=1');
    throws('TypeError', () => new URLSearchParams([['a']] as never));
  }),
  standard(LINE, 'to text', () => {
    const text = new URLSearchParams({ 'a b': "*-._~!'()", ü: '%&=+\0' }).toString();
    equal(text, 'a+b=*-._%7E%21%27%28%29&%C3%BC=%25%26%3D%2B%00');
    equal(new URLSearchParams({ a: '\ud800' }).toString(), 'a=%EF%BF%BD');
  }),
  standard(LINE, 'get, getAll, has, set, append, delete', () => {
    const parameters = new URLSearchParams('a=1&b=2&a=3');
    equal(parameters.get('a'), '1');
    equal(parameters.get('c'), null);
    same(parameters.getAll('a'), ['1', '3']);
    parameters.set('a', '4');
    equal(parameters.toString(), 'a=4&b=2');
    parameters.set('c', '5');
    parameters.append('b', '6');
    equal(parameters.toString(), 'a=4&b=2&c=5&b=6');
    const both = parameters as URLSearchParams & {
      has(name: string, value?: string): boolean;
      delete(name: string, value?: string): void;
    };
    equal(both.has('b', '6'), true);
    equal(both.has('b', '7'), false);
    both.delete('b', '2');
    equal(parameters.toString(), 'a=4&c=5&b=6');
    parameters.delete('b');
    equal(parameters.has('b'), false);
  }),
  standard(LINE, 'sort keeps the order of equal names, by UTF-16 units', () => {
    const parameters = new URLSearchParams('z=1&a=2&z=0&\uffff=3&\u{1f600}=4');
    parameters.sort();
    same([...parameters.keys()], ['a', 'z', 'z', '\u{1f600}', '\uffff']);
    same(parameters.getAll('z'), ['1', '0']);
  }),
  standard(LINE, 'iterators and forEach', () => {
    const parameters = new URLSearchParams('a=1&b=2');
    same([...parameters.entries()], [...parameters]);
    same([...parameters.values()], ['1', '2']);
    const seen: string[] = [];
    parameters.forEach((value, name) => {
      seen.push(name + value);
    });
    same(seen, ['a1', 'b2']);
  }),
];
