import fc from 'fast-check';
import { test } from 'tap';
import { Timeline } from '../../src/timeline.js';
import { Meter, NOTHING_KNOWN } from '../../src/usage.js';

test('no instance had it: there is nothing to wait for', async (t) => {
  const timeline = new Timeline();
  t.equal(timeline.usage, undefined);
  t.ok(timeline.isStopped && timeline.isOver);
  let called = 0;
  timeline.whenOver(() => {
    called += 1;
  });
  t.equal(called, 1);
});

test('what memory was used is known when the instance is gone', async (t) => {
  const timeline = new Timeline();
  const meter = new Meter();
  timeline.meter = meter;
  timeline.guest = 1;
  Object.assign(meter, { cpuMicroseconds: 57.6, bytesIn: 1, bytesOut: 2, hostCalls: 3 });
  const early = { cpuMicroseconds: 58, bytesIn: 1, bytesOut: 2, hostCalls: 3 };
  t.strictSame(timeline.usage, early);
  t.equal(timeline.toServerTiming(), 'guest;dur=1.000;desc="cpu=58us in=1B out=2B host-calls=3"');
  t.notOk(timeline.isStopped || timeline.isOver);
  const called: string[] = [];
  timeline.whenOver(() => called.push('one'));
  timeline.whenOver(() => called.push('two'));
  meter.stop();
  t.ok(timeline.isStopped && !timeline.isOver);
  t.same(called, []);
  timeline.reply = 0.25;
  timeline.noteEnd(0.5, {
    memory: { dirtyBytes: 4_096, usedBytes: 8_192 },
    cpuMicroseconds: 1.4,
  });
  t.ok(timeline.isStopped && timeline.isOver);
  t.same(called, ['one', 'two']);
  timeline.whenOver(() => called.push('three'));
  t.same(called, ['one', 'two', 'three'], 'from then on at once');
  t.strictSame(timeline.usage, {
    ...early,
    cpuMicroseconds: 59,
    ...{ peakMemoryBytes: 8_192, dirtyMemoryBytes: 4_096 },
  });
  t.equal(
    timeline.toLateServerTiming(),
    'guest;dur=1.000;desc="cpu=59us in=1B out=2B host-calls=3 dirty=4096B peak=8192B", ' +
      'reply;dur=0.250, end;dur=0.500',
  );
});

test('where the memory is never known, the rest is told', async (t) => {
  const timeline = new Timeline();
  timeline.meter = new Meter();
  timeline.guest = 0;
  timeline.noteEnd(undefined, NOTHING_KNOWN);
  t.ok(timeline.isOver);
  t.strictSame(timeline.usage, { cpuMicroseconds: 0, bytesIn: 0, bytesOut: 0, hostCalls: 0 });
  t.equal(
    timeline.toLateServerTiming(),
    'guest;dur=0.000;desc="cpu=0us in=0B out=0B host-calls=0"',
  );
});

test('figures are whole and not negative, and their description is a quoted string', async (t) => {
  const count = fc.nat(2 ** 40);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true })),
      count,
      count,
      count,
      fc.option(fc.record({ dirtyBytes: count, usedBytes: count }), { nil: undefined }),
      (runs, bytesIn, bytesOut, hostCalls, memory) => {
        const meter = new Meter();
        Object.assign(meter, { bytesIn, bytesOut, hostCalls });
        for (const microseconds of runs) {
          meter.cpuMicroseconds += microseconds;
        }
        meter.close({ memory, cpuMicroseconds: runs[0] ?? 0 });
        const figures = Object.values(meter.read());
        t.ok(
          figures.length === (memory === undefined ? 4 : 6) &&
            figures.every((figure) => Number.isSafeInteger(figure) && figure >= 0) &&
            // RFC 9110, section 5.6.4, without any that would have to be escaped.
            /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(meter.describe()),
        );
      },
    ),
  );
});
