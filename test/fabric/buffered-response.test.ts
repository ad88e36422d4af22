import { test } from 'tap';
import { bufferedResponse } from '../../src/fabric/buffered-response.js';

const make = (text: string, status = 200, type = 'text/plain') =>
  bufferedResponse(
    status,
    ['content-type', type, 'set-cookie', 'a=1', 'set-cookie', 'b=2'],
    Buffer.from(text),
  );

test('it is a Response', async (t) => {
  const response = make('{"a":"ü"}');
  t.ok(response instanceof Response);
  t.equal(response.status, 200);
  t.equal(response.ok, true);
  t.strictSame(response.headers.getSetCookie(), ['a=1', 'b=2']);
  t.equal(response.bodyUsed, false);
  t.strictSame(await response.json(), { a: 'ü' });
  t.equal(response.bodyUsed, true);
  await t.rejects(response.text(), TypeError);
  await t.rejects(response.arrayBuffer(), TypeError);
});

test('each way to read it gives what the standard one gives', async (t) => {
  const standard = () =>
    new Response('\ufeffa=1&b=ü', { headers: { 'content-type': 'text/plain' } });
  const ours = () => make('\ufeffa=1&b=ü');
  t.equal(await ours().text(), await standard().text());
  t.strictSame(await ours().arrayBuffer(), await standard().arrayBuffer());
  const [blob, expected] = [await ours().blob(), await standard().blob()];
  t.equal(blob.type, expected.type);
  t.equal(await blob.text(), await expected.text());
  const form = await make('a=1&b=2', 200, 'application/x-www-form-urlencoded').formData();
  t.equal(form.get('b'), '2');
});

test('its stream can be read, passed on and cloned', async (t) => {
  t.equal(await new Response(make('streamed').body).text(), 'streamed');
  const response = make('twice');
  const clone = response.clone();
  t.equal(clone.headers.get('content-type'), 'text/plain');
  t.equal(await clone.text(), 'twice');
  t.equal(await response.text(), 'twice');
  const read = make('read');
  await read.text();
  t.equal(read.body?.locked, true);
  t.throws(() => read.clone(), TypeError);
});

test('a null body status has no body', async (t) => {
  const response = make('', 204);
  t.equal(response.body, null);
  t.equal(await response.text(), '');
});

test('whatever a Response has, it has', async (t) => {
  const init = { status: 404, headers: { 'content-type': 'text/plain' } };
  const standard = new Response('text', init);
  const ours = bufferedResponse(404, ['content-type', 'text/plain'], Buffer.from('text'));
  const names = Object.getOwnPropertyNames(Response.prototype) as (keyof Response)[];
  t.ok(names.includes('redirected'));
  for (const name of names) {
    const [has, expected] = [ours[name], standard[name]];
    t.equal(typeof has, typeof expected, `${name} is there`);
    if (typeof expected !== 'object' && typeof expected !== 'function') {
      t.equal(has, expected, name);
    }
  }
  t.equal(String(ours), String(standard));
  t.equal(ours.constructor.name, 'Response');
  // Node's own methods look for state of Node's, which it lacks: none may be left that does.
  const inherited = names.filter(
    (name) => !Object.hasOwn(Object.getPrototypeOf(ours) as object, name),
  );
  t.strictSame(inherited, []);
});

test('it can be the base of another response, as middleware makes one', async (t) => {
  const ours = make('whole', 418);
  const copy = new Response(ours.body, ours);
  t.equal(copy.status, 418);
  t.strictSame(copy.headers.getSetCookie(), ['a=1', 'b=2']);
  t.equal(await copy.text(), 'whole');
  t.equal(ours.bodyUsed, true);
  const bare = make('bare');
  bare.headers.set('x-added', 'yes');
  t.equal(bare.headers.get('x-added'), 'yes');
  t.equal(bare.clone().headers.get('x-added'), 'yes');
});

test('its bytes are its own', async (t) => {
  // Newer than the types: Response.prototype.bytes.
  const ours = make('bytes') as Response & { bytes(): Promise<Uint8Array> };
  t.strictSame(Buffer.from(await ours.bytes()).toString(), 'bytes');
  await t.rejects(ours.bytes(), TypeError);
});
