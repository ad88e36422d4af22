/** What can be seen without a host that lets the function fetch; the rest is in ../fetch.test.ts. */
import { equal, rejects } from '../assert.js';
import { difference, standard } from '../case.js';

const FETCH = 'fetch';
const SOMEWHERE = 'http://192.0.2.1/';

export const fetchCases = [
  standard(FETCH, 'gives a promise, also for what is wrong', async () => {
    equal(fetch.length, 1);
    const promise = fetch('http://user:password@h/');
    equal(promise instanceof Promise, true);
    await rejects('TypeError', promise);
    await rejects('TypeError', (fetch as unknown as () => Promise<unknown>)());
    await rejects('TypeError', fetch(SOMEWHERE, { method: 'CONNECT' }));
    await rejects('TypeError', fetch(SOMEWHERE, { body: 'x' }));
    await rejects('TypeError', fetch(SOMEWHERE, { headers: { 'a b': '1' } }));
    await rejects('TypeError', fetch(SOMEWHERE, { redirect: 'x' as never }));
  }),
  standard(FETCH, 'what cannot be reached is a TypeError', async () => {
    await rejects('TypeError', fetch(SOMEWHERE));
  }),
  standard(FETCH, 'a signal that is aborted already', async () => {
    const reason = new RangeError('changed my mind');
    await rejects('RangeError', fetch(SOMEWHERE, { signal: AbortSignal.abort(reason) }));
    await rejects('AbortError', fetch(new Request(SOMEWHERE, { signal: AbortSignal.abort() })));
  }),
  standard(FETCH, 'uses the body of the request up', async () => {
    const request = new Request(SOMEWHERE, { method: 'POST', body: 'x' });
    await rejects('TypeError', fetch(request));
    equal(request.bodyUsed, true);
    await rejects('TypeError', fetch(request));
  }),
  difference(FETCH, 'hosts that the function was not allowed are refused', async () => {
    const error = await fetch(SOMEWHERE).catch((reason) => reason);
    equal(error.code, 'FETCH_DENIED');
    equal(error.cause.code, 'FETCH_DENIED');
  }),
  difference(FETCH, 'there is no base URL, and no data or blob URL', async () => {
    for (const url of ['/path', 'data:,text', 'blob:http://h/1']) {
      await rejects('TypeError', fetch(url));
    }
  }),
];
