import { equal, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';

const LINE = 'URL';

export const urlCases = [
  standard(LINE, 'the parts', () => {
    const url = new URL('https://user:pw@EXAMPLE.com:8443/a/../b%20c?q=1&r#h');
    equal(url.href, 'https://user:pw@example.com:8443/b%20c?q=1&r#h');
    equal(url.protocol, 'https:');
    equal(url.username, 'user');
    equal(url.password, 'pw');
    equal(url.host, 'example.com:8443');
    equal(url.hostname, 'example.com');
    equal(url.port, '8443');
    equal(url.pathname, '/b%20c');
    equal(url.search, '?q=1&r');
    equal(url.hash, '#h');
    equal(url.origin, 'https://example.com:8443');
  }),
  standard(LINE, 'relative references', () => {
    const base = 'http://h/a/b/c?q#f';
    for (const [reference, expected] of [
      ['d', 'http://h/a/b/d'],
      ['../d', 'http://h/a/d'],
      ['/d', 'http://h/d'],
      ['//i/d', 'http://i/d'],
      ['?x', 'http://h/a/b/c?x'],
      ['#y', 'http://h/a/b/c?q#y'],
      ['', 'http://h/a/b/c?q'],
      ['..\\e', 'http://h/a/e'],
    ] as const) {
      equal(new URL(reference, base).href, expected);
      equal(new URL(reference, new URL(base)).href, expected);
    }
  }),
  standard(LINE, 'hosts: IPv4, IPv6, IDNA, default ports', () => {
    equal(new URL('http://0x7f.1/').host, '127.0.0.1');
    equal(new URL('http://[0:0::1]:80/').host, '[::1]');
    equal(new URL('http://Bücher.example/').host, 'xn--bcher-kva.example');
    equal(new URL('https://h:443/').port, '');
  }),
  standard(LINE, 'what is no URL is a TypeError', () => {
    for (const text of ['', 'a', '/a', 'http://', 'http://a b/', 'http://h:99999/', 'http://[1/']) {
      throws('TypeError', () => new URL(text));
      equal(URL.canParse(text), false);
    }
    throws('TypeError', () => new URL('a', 'b'));
    equal(URL.canParse('a', 'http://h/'), true);
  }),
  standard(LINE, 'parse', () => {
    const { parse } = URL as unknown as { parse(url: string, base?: string): URL | null };
    equal(parse('a', 'http://h/')?.href, 'http://h/a');
    equal(parse('a'), null);
  }),
  standard(LINE, 'setters', () => {
    const url = new URL('http://h/a?b#c');
    url.protocol = 'https';
    url.host = 'i:81';
    url.pathname = 'x y';
    url.search = 'k=ü';
    url.hash = '';
    url.username = 'u';
    equal(url.href, 'https://u@i:81/x%20y?k=%C3%BC');
    url.port = 'none';
    equal(url.port, '81');
    url.href = 'http://j/';
    equal(String(url), 'http://j/');
    throws('TypeError', () => {
      url.href = 'k';
    });
  }),
  standard(LINE, 'opaque paths', () => {
    const url = new URL('mailto:a@b?subject=c');
    equal(url.pathname, 'a@b');
    equal(url.origin, 'null');
  }),
  standard(LINE, 'searchParams is one object, bound both ways', () => {
    const url = new URL('http://h/?a=1');
    const { searchParams } = url;
    equal(url.searchParams, searchParams);
    searchParams.append('b', 'x y');
    equal(url.search, '?a=1&b=x+y');
    url.search = '?c=3';
    same([...searchParams], [['c', '3']]);
    url.href = 'http://h/?d=4';
    same([...searchParams], [['d', '4']]);
    searchParams.delete('d');
    equal(url.href, 'http://h/');
  }),
  standard(LINE, 'JSON and the class string', () => {
    equal(JSON.stringify(new URL('http://h')), '"http://h/"');
    equal(Object.prototype.toString.call(new URL('http://h')), '[object URL]');
  }),
  difference(LINE, 'no object URLs', () => {
    equal('createObjectURL' in URL, false);
    equal('revokeObjectURL' in URL, false);
  }),
];
