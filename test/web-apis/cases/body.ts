import { bytes, drain, equal, ok, rejects, same, utf8 } from '../assert.js';
import { standard } from '../case.js';

const REQUEST = 'Request';
const RESPONSE = 'Response';
const FORM = 'FormData';

function post(body: RequestInit['body'], type?: string): Request {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  return new Request('http://h/', { method: 'POST', body, headers } as RequestInit);
}

export const bodyCases = [
  standard(RESPONSE, 'text, bytes, arrayBuffer, json and blob of a text', async () => {
    equal(await new Response('aü€').text(), 'aü€');
    const body = new Response('ü') as Response & { bytes(): Promise<Uint8Array> };
    same([...(await body.bytes())], [195, 188]);
    equal((await new Response('abc').arrayBuffer()).byteLength, 3);
    same(await new Response('{"a":1}').json(), { a: 1 });
    const blob = await new Response('x', { headers: { 'content-type': 'A/B' } }).blob();
    equal(blob.type, 'a/b');
    equal(await blob.text(), 'x');
  }),
  standard(RESPONSE, 'a body is read once', async () => {
    const response = new Response('x');
    equal(response.bodyUsed, false);
    await response.text();
    equal(response.bodyUsed, true);
    await rejects('TypeError', response.text());
    await rejects('TypeError', response.json());
  }),
  standard(RESPONSE, 'no body reads as empty, as often as one likes', async () => {
    const response = new Response();
    equal(await response.text(), '');
    equal((await response.arrayBuffer()).byteLength, 0);
    equal(response.bodyUsed, false);
    await rejects('SyntaxError', response.json());
  }),
  standard(RESPONSE, 'text loses the byte order mark and replaces bad bytes', async () => {
    equal(await new Response(bytes(0xef, 0xbb, 0xbf, 0x61)).text(), 'a');
    equal(await new Response(bytes(0x61, 0xff)).text(), 'a\ufffd');
    equal(await new Response('\ud800').text(), '\ufffd');
  }),
  standard(RESPONSE, 'the body as a stream', async () => {
    const { body } = new Response('ab');
    ok(body instanceof ReadableStream);
    const chunks = await drain(body as ReadableStream<Uint8Array>);
    same(
      chunks.flatMap((chunk) => [...chunk]),
      [97, 98],
    );
  }),
  standard(RESPONSE, 'reading the stream uses the body', async () => {
    const response = new Response('ab');
    const reader = response.body?.getReader();
    await rejects('TypeError', response.text());
    await reader?.read();
    equal(response.bodyUsed, true);
  }),
  standard(RESPONSE, 'a stream of something other than bytes is rejected', async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue('text');
        controller.close();
      },
    });
    await rejects('TypeError', new Response(stream).text());
  }),
  standard(REQUEST, 'bytes are copied when they become a body', async () => {
    const view = utf8('abc');
    const request = post(view.subarray(1));
    view.fill(0);
    equal(await request.text(), 'bc');
  }),
  standard(FORM, 'urlencoded bodies', async () => {
    const type = 'application/x-www-form-urlencoded';
    const form = await post('a=1&b=%C3%BC+x&a=2&c', `${type}; charset=utf-8`).formData();
    same(
      [...form],
      [
        ['a', '1'],
        ['b', 'ü x'],
        ['a', '2'],
        ['c', ''],
      ],
    );
  }),
  standard(FORM, 'multipart bodies there and back', async () => {
    const sent = new FormData();
    sent.append('text "1"', 'line\nü');
    sent.append('file', new File([bytes(0, 255, 13, 10, 45, 45)], 'a"b.bin', { type: 'x/y' }));
    const request = post(sent);
    ok(/^multipart\/form-data; boundary=/.test(request.headers.get('content-type') ?? ''));
    const got = await request.formData();
    equal(got.get('text "1"'), 'line\r\nü');
    const file = got.get('file') as File;
    equal(file.name, 'a"b.bin');
    equal(file.type, 'x/y');
    same([...new Uint8Array(await file.arrayBuffer())], [0, 255, 13, 10, 45, 45]);
  }),
  standard(FORM, 'multipart bodies as other programs write them', async () => {
    const text = [
      'preamble',
      '--b',
      'content-disposition: form-data; name="a"',
      '',
      '1',
      '--b',
      'Content-Disposition: form-data; name="f"; filename="ü.txt"',
      'Content-Type: text/plain',
      '',
      '',
      '--b--',
      '',
    ].join('\r\n');
    const form = await post(text, 'multipart/form-data; boundary="b"').formData();
    equal(form.get('a'), '1');
    const file = form.get('f') as File;
    equal(file.name, 'ü.txt');
    equal(file.size, 0);
  }),
  standard(FORM, 'malformed and foreign bodies are TypeErrors', async () => {
    await rejects('TypeError', post('x', 'multipart/form-data; boundary=b').formData());
    await rejects('TypeError', post('--b\r\n', 'multipart/form-data; boundary=b').formData());
    await rejects('TypeError', post('a=1', 'text/plain').formData());
  }),
];
