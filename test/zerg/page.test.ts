/** The Zerg page, rendered by real instances, in one process and in workers. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Strategy } from '../../src/drivers/driver.js';
import { defaultDriver, defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { exchange, jsonOf, lines, statusesOf } from '../front/http.js';
import { completeView, startZerg, viewPage } from './zerg-under-test.js';

/** What the cells of a row of the table say. */
function row(text: string, step: string): string[] {
  const [, cells = ''] = new RegExp(`<b>${step}</b>.*?</th>(.*?)</tr>`, 's').exec(text) ?? [];
  return [...cells.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = '']) => cell);
}

t.test('a view', { skip: noDriver }, async (t) => {
  const { serving, url } = await startZerg();
  t.teardown(() => serving.close());

  t.test('is rendered by an instance that was told of itself', async (t) => {
    const { response, text, id } = await viewPage(url);
    t.equal(response.status, 200);
    t.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    t.match(text, `data-base="/zerg" data-view="${id}"`);
    t.match(text, `<code>${defaultDriver}</code>`);
    t.match(text, `<code>${defaultStrategy}</code>`);
    t.match(row(text, 'A'), ['103.3 ms', /^\d+\.\d+ ms$/, /^\d+\.\d+ ms$/]);
    t.same(row(text, 'B'), ['3.0 ms', '…', 'within C']);
    t.match(row(text, 'C'), ['119.0 ms', 'skipped', /^\d+\.\d+ ms$/]);
    t.same(row(text, 'D'), ['0.9 ms', 'skipped', 'within C']);
    t.same(row(text, 'E'), ['0.7 ms', 'skipped', 'within C']);
    t.same(row(text, 'F'), ['1.2 ms', '…', '–']);
    t.same(row(text, 'G'), ['–', '…', '–']);
    t.match(text, '<dt>HATCHERY_VERSION</dt><dd>1.2.3</dd>');
    t.match(text, '<dt>memoryBytes</dt><dd>33554432</dd>');
    t.match(text, '<dt>name</dt><dd>zerg</dd>');
  });

  t.test('allows a browser its own script and style only', async (t) => {
    const policies = [];
    for (let count = 0; count < 2; count += 1) {
      const { response, text } = await viewPage(url);
      const policy = response.headers.get('content-security-policy') ?? '';
      t.match(policy, /^default-src 'none'; script-src 'nonce-([\w-]{36})'; style-src 'nonce-\1';/);
      const [, nonce = ''] = /script-src 'nonce-([\w-]+)'/.exec(policy) ?? [];
      t.equal(text.split(`nonce="${nonce}"`).length, 3, 'one script, one style');
      t.equal(text.match(/<script/g)?.length, 1);
      t.equal(text.match(/<\/script/g)?.length, 1);
      t.notMatch(text, /<[^>]+\s(style|on\w+)=/, 'nothing that the policy would refuse');
      t.notMatch(text, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/, 'no other host');
      t.equal(response.headers.get('cache-control'), 'no-store');
      policies.push(policy);
    }
    t.not(policies[0], policies[1], 'no two views have the same nonce');
  });

  t.test('gets its last phases afterwards', async (t) => {
    const { id } = await viewPage(url);
    const view = await completeView(url, id);
    t.match(view, { id, strategy: defaultStrategy, isComplete: true, total: Number });
    t.same(Object.keys(view.steps).sort(), ['A', 'B', 'F', 'G'], 'what it skipped has no figure');
    const { A = 0, B = 0, F = 0, G = 0 } = view.steps;
    t.ok([A, B, F, G].every((duration) => duration > 0));
    t.equal(view.total, A + B + F);
  });

  t.test('is nothing that a client can forge', async (t) => {
    const forged = JSON.stringify({
      ...{ view: { id: '0.forged', strategy: 'boot', steps: {} }, function: 'forged' },
      ...{ driver: 'forged', limits: {}, start: { steps: {} } },
    });
    for (const name of ['x-hatchery-view', 'X-Hatchery-View', 'X-HATCHERY-VIEW-ID']) {
      const { text, id } = await viewPage(url, { [name]: forged, 'x-forwarded-prefix': '/forged' });
      t.notMatch(text, 'forged', name);
      t.match(text, `<code>${defaultStrategy}</code>`);
      t.match(id, /^0\.[\w-]{22}$/);
    }
  });

  t.test('has an id that its figures are given for, and for nothing else', async (t) => {
    const { id } = await viewPage(url);
    const wrong = [
      ...['', 'x', '0', '0.', `0.${'A'.repeat(22)}`, `1.${id.slice(2)}`, `${id}A`, `${id}/`],
      ...['__proto__', 'constructor', '..%2f..%2f', '%00', `0.${'A'.repeat(5_000)}`],
    ];
    for (const other of wrong) {
      const answer = await fetch(`${url}/zerg/views/${other}`);
      t.equal(answer.status, 404, other.slice(0, 40));
      t.match(await answer.json(), { code: 'VIEW_UNKNOWN' });
    }
    const right = await fetch(`${url}/zerg/views/${id}?x=1`);
    t.equal(right.status, 200);
    t.equal(right.headers.get('access-control-allow-origin'), null, 'no other origin may read it');
    t.equal(right.headers.get('cache-control'), 'no-store');
    t.equal((await fetch(`${url}/zerg/views/${id}`, { method: 'HEAD' })).status, 200);
    t.equal((await fetch(`${url}/zerg/views/${id}`, { method: 'DELETE' })).status, 405);
  });

  t.test('is the only thing there', async (t) => {
    const other = await fetch(`${url}/zerg/other`);
    t.equal(other.status, 404);
    t.equal(other.headers.get('x-hatchery-view-id'), null);
    t.equal((await fetch(`${url}/zerg`, { method: 'POST' })).status, 405);
    t.equal((await fetch(`${url}/zerg`, { method: 'POST', body: 'x' })).status, 413);
  });

  t.test('is the same by its host name', async (t) => {
    const ask = (path: string) =>
      exchange(url, lines(`GET ${path} HTTP/1.1`, 'Host: zerg.localhost', 'Connection: close'));
    const [, id] = /data-base="" data-view="([^"]+)"/.exec(String(await ask('/'))) ?? [];
    const view = await ask(`/views/${id}`);
    t.strictSame(statusesOf(view), [200]);
    t.match(jsonOf(view), { id });
  });
});

/** Which phases are a view's own. */
const OWN: Readonly<Record<Exclude<Strategy, 'reset'>, { cell: RegExp; steps: string[] }>> = {
  clone: { cell: /skipped/, steps: ['A', 'B', 'F', 'G'] },
  pool: { cell: /ahead/, steps: ['A', 'B', 'F', 'G'] },
  boot: { cell: /\d ms/, steps: ['A', 'C', 'F', 'G'] },
};

for (const [strategy, { cell, steps }] of Object.entries(OWN)) {
  t.test(`with ${strategy} it says what is skipped`, { skip: noDriver }, async (t) => {
    const { serving, url } = await startZerg(0, strategy as Strategy);
    t.teardown(() => serving.close());
    const { text, id } = await viewPage(url);
    t.match(text, `<code>${strategy}</code>`);
    t.match(row(text, 'C')[1], cell);
    t.match(row(text, 'D')[1], strategy === 'boot' ? /within C/ : cell);
    t.equal(row(text, 'A').length, strategy === 'boot' ? 2 : 3, 'the boot at deploy');
    const view = await completeView(url, id);
    t.same(Object.keys(view.steps).sort(), steps);
    t.ok(Object.values(view.steps).every((duration) => duration > 0));
  });
}

t.test('a view that another worker rendered is found', { skip: noDriver }, async (t) => {
  const { serving, url } = await startZerg(2);
  t.teardown(() => serving.close());
  // A connection that lasts keeps its worker busy with one, so that the next is the other one's.
  const first = await viewPage(url);
  const ask = (path: string) =>
    exchange(url, lines(`GET ${path} HTTP/1.1`, 'Host: h', 'Connection: close'));
  const owners = new Set<string>();
  for (let count = 0; count < 8; count += 1) {
    const page = String(await ask('/zerg'));
    const [, id = ''] = /x-hatchery-view-id: (\S+)/.exec(page) ?? [];
    owners.add(id.slice(0, 1));
    for (const asked of [id, first.id]) {
      const answer = await ask(`/zerg/views/${asked}`);
      t.strictSame(statusesOf(answer), [200]);
      t.match(jsonOf(answer), { id: asked });
    }
    const owned = await fetch(`${url}/zerg/views/${id}`);
    t.match(await owned.json(), { id });
    t.strictSame(statusesOf(await ask(`/zerg/views/7${id.slice(1)}`)), [404], 'no such worker');
    const unknown = await ask(`/zerg/views/${id.slice(0, 2)}${'A'.repeat(22)}`);
    t.strictSame(statusesOf(unknown), [404]);
  }
  owners.add(first.id.slice(0, 1));
  t.same([...owners].sort(), ['0', '1'], 'both workers rendered views');
});

t.test('a view goes with the worker that rendered it', { skip: noDriver }, async (t) => {
  const { serving, url } = await startZerg(1);
  t.teardown(() => serving.close());
  const ask = (path: string) =>
    exchange(url, lines(`GET ${path} HTTP/1.1`, 'Host: h', 'Connection: close'));
  const [, id] = /x-hatchery-view-id: (\S+)/.exec(String(await ask('/zerg'))) ?? [];
  t.strictSame(statusesOf(await ask(`/zerg/views/${id}`)), [200]);
  const [worker = -1] = serving.workers;
  process.kill(worker, 'SIGKILL');
  while (serving.workers.length === 0 || serving.workers[0] === worker) {
    await sleep(20);
  }
  t.match(jsonOf(await ask(`/zerg/views/${id}`)), { code: 'VIEW_UNKNOWN' });
  t.strictSame(statusesOf(await ask('/zerg')), [200], 'the next worker renders the page');
});
