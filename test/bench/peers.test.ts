import t from 'tap';
import type { Durations } from '../../bench/harness/process-per-request.js';
import { chart, decades } from '../../bench/peers/chart.js';
import { HANDLER } from '../../bench/peers/handler.js';
import { answerInProcess } from '../../bench/peers/peer.js';
import { markdownTable, replaceBetweenMarkers } from '../../bench/peers/readme.js';
import { formatDuration, type PeerResult } from '../../bench/peers/result.js';
import { answer, DISTINCT, url } from '../../bench/requests.js';

function result(name: string, p50: number, p99: number, own = false): PeerResult {
  const summary = { rounds: 1, samples: 100, p50, p99 };
  return {
    name,
    version: '',
    wall: 'a wall',
    own,
    response: summary,
    life: summary,
    times: p50 / 50,
  };
}

const results = [result('a < b & c', 1200, 9000), result('ours', 50, 80, true)];

t.test('the handler that all engines run gives the expected answers', async (t) => {
  const handle = new Function(`${HANDLER}; return handle`)();
  for (let number = 0; number < DISTINCT; number++) {
    t.equal(handle(url(number)), answer(number));
  }
  t.equal(handle('http://h/?a=1&name=two+%C3%A9&b'), '{"hello":"two é"}');
});

t.test('every instance is ended, and a wrong answer is an error', async (t) => {
  const ended: string[] = [];
  const right = (text: string) => ({ text, end: () => void ended.push(text) });
  let next = 48;
  const durations: Durations = await answerInProcess('x', 4, 48, () => right(answer(next++)));
  t.same(ended, [48, 49, 0, 1].map(answer));
  t.ok(durations.life.every((life, index) => life >= (durations.response[index] ?? 0)));
  await t.rejects(
    answerInProcess('x', 1, 0, () => right('{"hello":"other"}')),
    /x answered/,
  );
});

t.test('durations read well', async (t) => {
  t.same([3.14, 43.4, 999, 1234, 52_000, 446_000].map(formatDuration), [
    '3.1 µs',
    '43 µs',
    '999 µs',
    '1.2 ms',
    '52 ms',
    '446 ms',
  ]);
});

t.test('the table lists the fastest first, ours in bold', async (t) => {
  const lines = markdownTable(results).split('\n');
  t.equal(lines[2], '| **ours** | a wall | 50 µs | 80 µs | 50 µs | 1.0 |');
  t.equal(lines[3], '| `a < b & c` | a wall | 1.2 ms | 9.0 ms | 1.2 ms | 24 |');
});

t.test('only the text between the markers is replaced', async (t) => {
  const page = 'before\n<!-- bench:peers -->\nold\n<!-- /bench:peers -->\nafter\n';
  const replaced = replaceBetweenMarkers(page, 'new');
  t.equal(replaced, 'before\n<!-- bench:peers -->\nnew\n<!-- /bench:peers -->\nafter\n');
  t.equal(replaceBetweenMarkers(replaced, 'new'), replaced);
  t.throws(() => replaceBetweenMarkers('nothing', 'new'), /has no/);
  t.throws(() => replaceBetweenMarkers('<!-- /bench:peers --><!-- bench:peers -->', ''), /has no/);
});

t.test('the axis encloses all values', async (t) => {
  t.same(decades([50, 9000]), [10, 100, 1000, 10_000]);
  t.same(decades([100, 100]), [100, 1000]);
});

t.test('the chart has a logarithmic axis and tells what it shows', async (t) => {
  const svg = chart(results);
  const centres = [...svg.matchAll(/class="(?:own )?half" cx="([\d.]+)" cy="\d+(?:\.5)?" r="6"/g)]
    .map((match) => Number(match[1]))
    .slice(1);
  const ticks = [...svg.matchAll(/class="grid" x1="([\d.]+)"/g)].map((match) => Number(match[1]));
  const [ours = 0, theirs = 0] = centres;
  const decade = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  t.ok(Math.abs(theirs - ours - decade * Math.log10(1200 / 50)) < 0.2);
  t.match(svg, /<desc id="description">.*ours: 50 µs, 80 µs\. a &lt; b &amp; c: 1\.2 ms, 9\.0 ms/);
  t.match(svg, /role="img" aria-labelledby="title description"/);
  t.notMatch(svg, /a < b/);
  t.throws(() => chart([]), RangeError);
});
