import t from 'tap';
import { Gate } from '../../src/fabric/host-calls/gate.js';

const never = new AbortController().signal;

t.test('so many are let through, the others in their order', async (t) => {
  const gate = new Gate(2);
  const order: number[] = [];
  const leave = await gate.enter(never);
  await gate.enter(never);
  const waiting = [1, 2, 3].map(async (n) => {
    const out = await gate.enter(never);
    order.push(n);
    return out;
  });
  await new Promise(setImmediate);
  t.strictSame(order, []);
  leave();
  leave();
  await new Promise(setImmediate);
  t.strictSame(order, [1], 'a place is given back once');
  (await waiting[0])?.();
  (await waiting[1])?.();
  await waiting[2];
  t.strictSame(order, [1, 2, 3]);
});

t.test('who gives up takes no place', async (t) => {
  const gate = new Gate(1);
  const leave = await gate.enter(never);
  const abort = new AbortController();
  const waiting = gate.enter(abort.signal);
  abort.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  await t.rejects(gate.enter(abort.signal), { message: 'enough' });
  leave();
  (await gate.enter(never))();
  await gate.enter(never);
});
