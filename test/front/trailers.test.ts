/** What a client that takes trailers is told at the end of a response. */
import { test } from 'tap';
import type { Reply } from '../../src/fabric/message.js';
import type { Timeline } from '../../src/timeline.js';
import { Meter } from '../../src/usage.js';
import { withFake } from './fake.js';
import { exchange, lines } from './http.js';

const GET = lines('GET / HTTP/1.1', 'Host: h', 'TE: trailers');
const REMAINS = { memory: { dirtyBytes: 4_096, usedBytes: 8_192 }, cpuMicroseconds: 0 };
const FIGURES = 'cpu=9us in=0B out=4B host-calls=0';

/** Answers as an instance that `goOn` with what follows. */
function reply(timeline: Timeline, body: Reply['body'], goOn: (meter: Meter) => void): Reply {
  const meter = new Meter();
  timeline.meter = meter;
  timeline.guest = 1;
  Object.assign(meter, { cpuMicroseconds: 9, bytesOut: 4 });
  goOn(meter);
  return { status: 200, headers: [], body, timeline };
}

async function* streamed() {
  yield Buffer.from('body');
}

const BODIES = { whole: () => Buffer.from('body'), streamed };

/** Of a response: the trailer that it ends with. */
const trailerOf = (answer: string) => /\r\n0\r\nServer-Timing: (.*)\r\n\r\n$/.exec(answer)?.[1];

for (const [what, body] of Object.entries(BODIES)) {
  test(`the trailer of a ${what} body waits for the end of the instance`, (t) =>
    withFake(
      (_, timeline) =>
        reply(timeline, body(), (meter) => {
          meter.stop();
          setTimeout(() => timeline.noteEnd(2, REMAINS), 20);
        }),
      async ({ url }) => {
        const desc = `${FIGURES} dirty=4096B peak=8192B`;
        const trailer = trailerOf(await exchange(url, GET));
        t.match(
          trailer,
          new RegExp(
            `^guest;dur=1\\.000;desc="${desc}", reply;dur=\\d+\\.\\d{3}, end;dur=2\\.000$`,
          ),
        );
      },
    ));

  test(`the trailer of a ${what} body waits for no background work, and not for ever`, (t) =>
    withFake(
      (request, timeline) =>
        reply(timeline, body(), (meter) => {
          if (request.url.endsWith('/stuck')) {
            meter.stop();
          }
        }),
      async ({ url }) => {
        const known = new RegExp(`^guest;dur=1\\.000;desc="${FIGURES}", reply;dur=\\d+\\.\\d{3}$`);
        t.match(trailerOf(await exchange(url, GET)), known);
        const stuck = lines('GET /stuck HTTP/1.1', 'Host: h', 'TE: trailers');
        t.match(trailerOf(await exchange(url, stuck)), known);
      },
    ));
}

test('a client that goes away before the trailer disturbs nobody', (t) =>
  withFake(
    (_, timeline) =>
      reply(timeline, Buffer.from('body'), (meter) => {
        meter.stop();
        setTimeout(() => timeline.noteEnd(2, REMAINS), 50);
      }),
    async ({ url }) => {
      const aborter = new AbortController();
      const response = await fetch(url, {
        headers: { te: 'trailers' },
        signal: aborter.signal,
      });
      t.equal(response.status, 200);
      aborter.abort();
      const answer = await exchange(url, GET);
      t.match(trailerOf(answer), /end;dur=2\.000$/);
    },
  ));
