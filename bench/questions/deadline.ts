/** How late is the answer of a request that has hit its limit of time? */
import { atMost, type Row } from '../harness/report.js';
import { quantile } from '../harness/statistics.js';
import type { Question } from '../question.js';
import { deploy, type Subject } from '../subject.js';

const REQUESTS = 30;
const LIMIT_MILLISECONDS = 100;
const MOST_LATE_MILLISECONDS = 50;

const CASES = [
  { path: 'hang', limit: 'wallMilliseconds', code: 'DEADLINE_EXCEEDED', what: 'computes' },
  { path: 'sleep', limit: 'wallMilliseconds', code: 'DEADLINE_EXCEEDED', what: 'waits' },
  { path: 'hang', limit: 'cpuMilliseconds', code: 'CPU_EXCEEDED', what: 'computes' },
] as const;

export const deadline: Question = {
  name: 'deadline',
  async run(progress) {
    const rows: Row[] = [];
    for (const { path, limit, code, what } of CASES) {
      progress(`${limit}, a guest that ${what}`);
      await using subject = await deploy('mixed', 'reset', { [limit]: LIMIT_MILLISECONDS });
      const late: number[] = [];
      for (let number = 0; number < REQUESTS; number++) {
        late.push(await lateness(subject, path, code));
      }
      const most = quantile(late, 1);
      rows.push({
        question: 'deadline',
        figure: `${code} after the limit, guest ${what}, largest of ${REQUESTS}`,
        value: most,
        unit: 'ms',
        target: atMost(most, MOST_LATE_MILLISECONDS, `at most ${MOST_LATE_MILLISECONDS} ms`),
        note: `median ${quantile(late, 0.5).toFixed(1)} ms`,
      });
    }
    return rows;
  },
};

/** Milliseconds from the limit to the error. */
async function lateness({ fn }: Subject, path: string, code: string): Promise<number> {
  const start = performance.now();
  const error = await fn
    .request({ url: `http://hatchery.test/${path}` })
    .catch((reason: { code?: string }) => reason);
  if (!('code' in error) || error.code !== code) throw new Error(`${path} did not give ${code}`);
  return performance.now() - start - LIMIT_MILLISECONDS;
}
