import t from 'tap';
import { alternate } from '../../bench/harness/rounds.js';

t.test('the sides take turns, and the warm-up is thrown away', async (t) => {
  const turns: string[] = [];
  const progress: string[] = [];
  let calls = 0;
  const side = (name: string) => (round: number) => {
    turns.push(`${name}${round}`);
    return [calls++];
  };
  const samples = await alternate(2, { a: side('a'), b: side('b') }, (done, of) =>
    progress.push(`${done}/${of}`),
  );
  t.same(turns, ['a0', 'b0', 'a0', 'b0', 'a1', 'b1']);
  t.same(samples, { a: [[2], [4]], b: [[3], [5]] });
  t.same(progress, ['0/2', '0/2', '1/2']);
});

t.test('a side that fails ends the comparison', async (t) => {
  const broken = alternate(1, {
    a: () => [1],
    b: () => Promise.reject(new Error('broken')),
  });
  await t.rejects(broken, { message: 'broken' });
});
