/** Parts of the Zerg page that need no instance. */
import t from 'tap';
import { DEFAULT_LIMITS } from '../../src/fabric/limits.js';
import type { FunctionRequest } from '../../src/fabric/message.js';
import { startFront } from '../../src/front/front.js';
import { type FromWorker, isFromWorker } from '../../src/supervisor/messages.js';
import { ViewSeeker } from '../../src/supervisor/view-seeker.js';
import { Timeline } from '../../src/timeline.js';
import { html } from '../../src/zerg/function/html.js';
import { FunctionsWithZerg } from '../../src/zerg/functions-with-zerg.js';
import { stepsOf, stepsOfStart, totalOf } from '../../src/zerg/steps.js';
import { ToldRequest } from '../../src/zerg/told-request.js';
import { VIEW_HEADER } from '../../src/zerg/view.js';
import { ownerOf, ViewRecords } from '../../src/zerg/view-records.js';
import { ZergPage } from '../../src/zerg/zerg-page.js';
import { replyWith } from '../front/fake.js';

t.test('phases of a timeline as those of the demo', async (t) => {
  const served = { accept: 1, queue: 2, spawn: 4, guest: 8, reply: 16, end: 32 };
  t.same(stepsOf(served), { A: 3, B: 4, F: 24, G: 32 });
  t.same(stepsOf({ ...served, create: 64 }), { A: 67, B: 4, F: 24, G: 32 });
  const booted = { ...served, load: 64, create: 128, boot: 256 };
  t.same(stepsOf(booted), { A: 195, C: 256, F: 28, G: 32 });
  t.equal(totalOf(stepsOf(booted)), 1 + 2 + 4 + 8 + 16 + 64 + 128 + 256);
  t.same(stepsOf({ accept: 1 }), {}, 'nothing of it is over');
  t.equal(totalOf(stepsOf({ accept: 1, queue: 2, spawn: 4, guest: 8 })), undefined);
  t.same(stepsOfStart({ load: 1, create: 2, boot: 4, init: 8 }), { A: 3, C: 4 });
  t.same(stepsOfStart({}), {});
});

t.test('records are bounded, and nobody can guess their ids', async (t) => {
  const records = new ViewRecords('3');
  const ids = Array.from({ length: 3_000 }, () => records.newId());
  for (const id of ids) {
    records.keep(id, new Timeline(), 'reset');
  }
  t.equal(records.size, 1_024);
  t.equal(records.find(ids[0] as string), undefined);
  t.match(records.find(ids.at(-1) as string), { strategy: 'reset', isComplete: false });
  t.equal(new Set(ids).size, ids.length);
  // 128 random bits: among so many ids each place of the text takes each of its values.
  for (let at = 0; at < 22; at += 1) {
    const values = new Set(ids.map((id) => id[at + 2]));
    t.equal(values.size, at === 21 ? 4 : 64, `place ${at}`);
  }
  t.equal(ownerOf(ids[0] as string), '3');
  for (const id of ['3', '3.x', `x.${'A'.repeat(22)}`, `3.${'A'.repeat(23)}`, '']) {
    t.equal(ownerOf(id), undefined, id);
  }
});

t.test('a view goes on while it is kept', async (t) => {
  const records = new ViewRecords('0', 1);
  const timeline = new Timeline();
  const id = records.newId();
  records.keep(id, timeline, 'clone');
  Object.assign(timeline, { accept: 1, queue: 1, spawn: 1, guest: 1 });
  t.strictSame(records.find(id), {
    ...{ id, strategy: 'clone', steps: { A: 2, B: 1 }, isComplete: false },
  });
  timeline.reply = 1;
  t.match(records.find(id), { steps: { F: 2 }, total: 5, isComplete: false });
  timeline.end = 7;
  t.match(records.find(id), { steps: { G: 7 }, total: 5, isComplete: true });
});

t.test('a told request is the request, and one header more', async (t) => {
  const request: FunctionRequest = {
    ...{ id: 'i', method: 'GET', url: 'http://h/', headers: ['a', '1'] },
    body: Buffer.from('x'),
  };
  let value = 'early';
  const told = new ToldRequest(request, 'x-hatchery-view', () => value);
  value = 'late';
  t.same(told.headers, ['a', '1', 'x-hatchery-view', 'late']);
  t.match(told, { id: 'i', method: 'GET', url: 'http://h/', rest: undefined });
  t.equal(told.body, request.body);
  let isGone = false;
  told.onGone = () => {
    isGone = true;
  };
  request.onGone?.();
  t.ok(isGone, 'whoever made the request can end it');
});

t.test('without its function there is no page', async (t) => {
  const functions = {
    function: () => undefined,
    functions: () => [],
    boundTo: (host: string) => (host === 'bound.example' ? 'f' : undefined),
  };
  const withZerg = new FunctionsWithZerg(functions, {
    ...{ driver: 'kvm', owner: '0', elsewhere: async () => undefined },
  });
  t.equal(withZerg.function('zerg'), undefined);
  t.equal(withZerg.boundTo('bound.example'), 'f');
  t.same([...withZerg.functions()], []);
});

t.test('values of a template are escaped, markup is not', async (t) => {
  const inner = html`<b>${'<&>"\''}</b>`;
  t.equal(String(inner), '<b>&lt;&amp;&gt;&quot;&#39;</b>');
  t.equal(String(html`${inner}${[inner, inner]}${1}`), `${inner}${inner}${inner}1`);
});

t.test('a worker asks for views of others, not for too many at a time', async (t) => {
  const sent: FromWorker[] = [];
  const seeker = new ViewSeeker((message) => sent.push(message));
  const asked = Array.from({ length: 257 }, () => seeker.seek('1', '1.x'));
  t.equal(sent.length, 256);
  t.equal(await asked[256], undefined);
  t.match(sent[1], { type: 'seek', seek: 1, owner: '1', id: '1.x' });
  const view = { id: '1.x', strategy: 'reset', steps: {}, isComplete: false } as const;
  seeker.settle(1, view);
  seeker.settle(1, undefined);
  seeker.settle(9_999, view);
  t.equal(await asked[1], view);
  t.ok(sent.every(isFromWorker));
  t.ok(isFromWorker({ type: 'viewed', call: 1, view }));
  t.ok(isFromWorker({ type: 'viewed', call: 1 }));
  for (const wrong of [{ ...view, steps: { A: 'x' } }, { ...view, strategy: 'x' }, 'x']) {
    t.notOk(isFromWorker({ type: 'viewed', call: 1, view: wrong }));
  }
});

t.test('what the page fetches of its views is told of nowhere', async (t) => {
  const rendering = {
    ...{ limits: DEFAULT_LIMITS, strategy: 'reset' as const, coldStart: {} },
    handle: () => replyWith('the page'),
  };
  const elsewhere = async () => undefined;
  const page = new ZergPage({ driver: 'kvm', owner: '0', rendering: () => rendering, elsewhere });
  const functions = { function: () => page, functions: () => [page], boundTo: () => undefined };
  const told: string[] = [];
  const tell = ({ method, status }: { method: string; status: number }) =>
    told.push(`${method} ${status}`);
  const front = await startFront(functions, {
    observer: tell,
    tracing: { sampling: { share: 1, followsParent: true }, report: tell },
  });
  t.teardown(() => front.drain(0));
  const ask = (path: string, method = 'GET') => fetch(`${front.url}/zerg${path}`, { method });
  const id = (await ask('')).headers.get(VIEW_HEADER);
  t.equal((await ask(`/views/${id}`)).status, 200);
  t.equal((await ask(`/views/${id}`, 'HEAD')).status, 200);
  t.equal((await ask('/views/none')).status, 404);
  await ask(`/views/${id}`, 'DELETE');
  t.same(told, ['GET 200', 'GET 200', 'DELETE 200', 'DELETE 200'], 'two are told of each');
});
