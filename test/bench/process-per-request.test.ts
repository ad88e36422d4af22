import t from 'tap';
import { answerByProcesses } from '../../bench/harness/process-per-request.js';
import { compileProgram } from '../../bench/harness/programs.js';
import { answer, check, DISTINCT, path, URL_TEMPLATE, url } from '../../bench/requests.js';

const hello = compileProgram('hello');

t.test('requests differ and start again after the last', async (t) => {
  const urls = Array.from({ length: DISTINCT }, (_, number) => url(number));
  t.equal(new Set(urls).size, DISTINCT);
  t.equal(url(DISTINCT), url(0));
  t.equal(path(3), '/hello?name=guest-3');
  t.same(JSON.parse(answer(3)), { hello: 'guest-3' });
  t.throws(() => check(3, answer(4), 'a subject'), /a subject answered .*guest-4/);
});

t.test('each request is answered by a process, measured twice', async (t) => {
  const { response, life } = await answerByProcesses([hello, URL_TEMPLATE], {
    count: 60,
    first: 45,
  });
  t.equal(response.length, 60);
  t.equal(life.length, 60);
  t.ok(
    response.every((microseconds, index) => microseconds > 0 && microseconds <= (life[index] ?? 0)),
  );
});

t.test('a wrong answer, a failure and a missing program are errors', async (t) => {
  const wrong = answerByProcesses([hello, `${URL_TEMPLATE}x`], { count: 1, first: 0 });
  await t.rejects(wrong, /expected .*guest-0.*got .*guest-0x/s);
  await t.rejects(answerByProcesses([hello], { count: 1, first: 0 }), /ended with status/);
  const missing = answerByProcesses(['/nowhere/program'], { count: 1, first: 0 });
  await t.rejects(missing, /No such file/);
});

t.test('a program may be expected to print nothing', async (t) => {
  const { life } = await answerByProcesses(['true'], { count: 2, first: 0, expected: '' });
  t.equal(life.length, 2);
});
