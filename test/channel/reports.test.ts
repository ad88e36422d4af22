import fc from 'fast-check';
import { test } from 'tap';
import { decodeLogs, decodePanic, decodeThrown } from '../../src/channel.js';
import { HatcheryError } from '../../src/errors.js';
import { logRecord, panicReport, words } from './frames.js';

test('log records are read in order', async (t) => {
  const bytes = Buffer.concat([logRecord(30, 'one'), logRecord(50, 'zwölf'), logRecord(20, '')]);
  t.strictSame(decodeLogs(bytes), {
    records: [
      { level: 'info', text: 'one' },
      { level: 'error', text: 'zwölf' },
      { level: 'debug', text: '' },
    ],
    intact: true,
  });
});

test('records before a broken one are kept', async (t) => {
  for (const broken of [words(30, 100), words(31, 0), Buffer.from('short')]) {
    t.strictSame(decodeLogs(Buffer.concat([logRecord(40, 'kept'), broken])), {
      records: [{ level: 'warn', text: 'kept' }],
      intact: false,
    });
  }
});

test('panic reports', async (t) => {
  t.strictSame(decodePanic(panicReport(2, '{}')), { reason: 'startup', text: '{}' });
  t.strictSame(decodePanic(panicReport(5, '')), { reason: 'memory', text: '' });
  for (const broken of [panicReport(0, ''), panicReport(7, ''), words(1, 9), words(1)]) {
    t.throws(() => decodePanic(broken), { code: 'RESPONSE_INVALID' });
  }
});

test('error reports', async (t) => {
  const report = { name: 'TypeError', message: 'no', stack: '    at f (a.js:1:2)' };
  t.strictSame(decodeThrown(JSON.stringify(report)), report);
  t.strictSame(decodeThrown('{"name":7}'), { name: 'Error', message: '', stack: '' });
  t.strictSame(decodeThrown('not JSON'), { name: 'Error', message: 'not JSON', stack: '' });
  t.strictSame(decodeThrown('null'), { name: 'Error', message: 'null', stack: '' });
});

test('arbitrary bytes never crash a reader', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const { records } = decodeLogs(bytes);
      t.ok(records.reduce((sum, record) => sum + record.text.length + 8, 0) <= bytes.length);
      try {
        t.ok(decodePanic(bytes).text.length <= bytes.length);
      } catch (error) {
        t.ok(error instanceof HatcheryError && error.code === 'RESPONSE_INVALID', String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
