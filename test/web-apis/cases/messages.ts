import { equal, rejects, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';
import { web } from '../web.js';

const REQUEST = 'Request';
const RESPONSE = 'Response';

export const messageCases = [
  standard(REQUEST, 'defaults', () => {
    const request = new Request('http://h/a b');
    equal(request.method, 'GET');
    equal(request.url, 'http://h/a%20b');
    equal(request.body, null);
    equal(request.bodyUsed, false);
    equal(request.redirect, 'follow');
    equal(request.signal.aborted, false);
    same([...request.headers], []);
  }),
  standard(REQUEST, 'the six well-known methods are put in upper case', () => {
    equal(new Request('http://h/', { method: 'post' }).method, 'POST');
    equal(new Request('http://h/', { method: 'patch' }).method, 'patch');
  }),
  standard(REQUEST, 'forbidden and malformed methods are TypeErrors', () => {
    for (const method of ['CONNECT', 'trace', 'TRACK', 'a b', '']) {
      throws('TypeError', () => new Request('http://h/', { method }));
    }
  }),
  standard(REQUEST, 'GET and HEAD have no body', () => {
    throws('TypeError', () => new Request('http://h/', { body: 'x' }));
    throws('TypeError', () => new Request('http://h/', { method: 'HEAD', body: 'x' }));
  }),
  standard(REQUEST, 'a URL with credentials is a TypeError', () => {
    throws('TypeError', () => new Request('http://user:password@h/'));
  }),
  standard(REQUEST, 'the body gives the content type unless there is one', () => {
    const form = new URLSearchParams({ a: '1' });
    const first = new Request('http://h/', { method: 'POST', body: form });
    equal(first.headers.get('content-type'), 'application/x-www-form-urlencoded;charset=UTF-8');
    const headers = { 'content-type': 'x/y' };
    const second = new Request('http://h/', { method: 'POST', body: form, headers });
    equal(second.headers.get('content-type'), 'x/y');
  }),
  standard(REQUEST, 'made from a request it takes the body over', async () => {
    const first = new Request('http://h/', { method: 'POST', body: 'x', headers: { a: '1' } });
    const second = new Request(first, { method: 'PUT' });
    equal(first.bodyUsed, true);
    equal(second.method, 'PUT');
    equal(second.headers.get('a'), '1');
    equal(await second.text(), 'x');
    throws('TypeError', () => new Request(first));
  }),
  standard(REQUEST, 'clone gives two bodies', async () => {
    const first = new Request('http://h/', { method: 'POST', body: 'x' });
    const second = first.clone();
    equal(await first.text(), 'x');
    equal(await second.text(), 'x');
    throws('TypeError', () => first.clone());
  }),
  standard(REQUEST, 'the signal of init', () => {
    const controller = new AbortController();
    const request = new Request('http://h/', { signal: controller.signal });
    controller.abort();
    equal(request.signal.aborted, true);
  }),
  difference(REQUEST, 'there is no base URL', () => {
    throws('TypeError', () => new Request('/path'));
  }),
  difference(REQUEST, 'members for a browser are absent', () => {
    const request = new Request('http://h/');
    for (const name of ['cache', 'credentials', 'mode', 'referrer', 'integrity', 'destination']) {
      equal(name in request, false);
    }
  }),
  standard(RESPONSE, 'defaults', () => {
    const response = new Response();
    equal(response.status, 200);
    equal(response.statusText, '');
    equal(response.ok, true);
    equal(response.type, 'default');
    equal(response.url, '');
    equal(response.redirected, false);
    equal(response.body, null);
    same([...response.headers], []);
  }),
  standard(RESPONSE, 'a text body has a content type', () => {
    equal(new Response('x').headers.get('content-type'), 'text/plain;charset=UTF-8');
    const headers = { 'Content-Type': 'text/html' };
    equal(new Response('x', { headers }).headers.get('content-type'), 'text/html');
    equal(new Response(new Uint8Array(1)).headers.get('content-type'), null);
  }),
  standard(RESPONSE, 'statuses outside 200 to 599 are RangeErrors', () => {
    for (const status of [0, 101, 199, 600, 1000]) {
      throws('RangeError', () => new Response(null, { status }));
    }
    equal(new Response(null, { status: 404 }).ok, false);
    equal(new Response(null, { status: '404.9' as never }).status, 404);
  }),
  standard(RESPONSE, 'statuses without a body', () => {
    for (const status of [204, 205, 304]) {
      throws('TypeError', () => new Response('', { status }));
      equal(new Response(null, { status }).status, status);
    }
  }),
  standard(RESPONSE, 'a bad status text is a TypeError', () => {
    throws('TypeError', () => new Response(null, { statusText: 'a\nb' }));
    equal(new Response(null, { statusText: 'Fine' }).statusText, 'Fine');
  }),
  standard(RESPONSE, 'json', async () => {
    const response = Response.json({ a: [1, null] }, { status: 201 });
    equal(response.status, 201);
    equal(response.headers.get('content-type'), 'application/json');
    equal(await response.text(), '{"a":[1,null]}');
    throws('TypeError', () => Response.json(undefined));
    throws('TypeError', () => Response.json(Symbol()));
    throws('TypeError', () => Response.json({}, { status: 204 }));
    const headers = { 'content-type': 'a/b' };
    equal(Response.json(1, { headers }).headers.get('content-type'), 'a/b');
  }),
  standard(RESPONSE, 'redirect', () => {
    const response = web.Response.redirect('http://h/a b', 303);
    equal(response.status, 303);
    equal(response.headers.get('location'), 'http://h/a%20b');
    equal(web.Response.redirect('http://h/').status, 302);
    throws('TypeError', () => web.Response.redirect('http://:'));
    throws('RangeError', () => web.Response.redirect('http://h/', 200));
    throws('TypeError', () => response.headers.set('a', 'b'));
  }),
  standard(RESPONSE, 'error', () => {
    const response = Response.error();
    equal(response.type, 'error');
    equal(response.status, 0);
    equal(response.ok, false);
    throws('TypeError', () => response.headers.append('a', 'b'));
  }),
  standard(RESPONSE, 'clone gives two bodies', async () => {
    const first = new Response('x', { status: 203, headers: { a: '1' } });
    const second = first.clone();
    equal(second.status, 203);
    equal(second.headers.get('a'), '1');
    equal(await first.text(), 'x');
    equal(await second.text(), 'x');
    throws('TypeError', () => first.clone());
  }),
  standard(RESPONSE, 'clone of a stream gives both all of it', async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('a'));
        controller.enqueue(new TextEncoder().encode('b'));
        controller.close();
      },
    });
    const first = new Response(stream);
    const second = first.clone();
    equal(await second.text(), 'ab');
    equal(await first.text(), 'ab');
  }),
  standard(RESPONSE, 'a stream in use is no body', async () => {
    const stream = new ReadableStream();
    stream.getReader();
    throws('TypeError', () => new Response(stream));
    await rejects('TypeError', new Response('x').formData());
  }),
  difference(RESPONSE, 'the status text is only kept', () => {
    equal(new Response(null, { statusText: 'Kept' }).statusText, 'Kept');
  }),
];
