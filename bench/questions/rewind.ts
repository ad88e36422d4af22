/** What does a page that some request has written add to every rewind after it? */
import type { Row } from '../harness/report.js';
import { alternate } from '../harness/rounds.js';
import { median, summarize } from '../harness/statistics.js';
import type { Question } from '../question.js';
import { deploy, type Subject } from '../subject.js';

/** Shells that have written more than 4,096 pages are replaced and not rewound. */
const PAGES = 3000;
const ROUNDS = 10;
const REQUESTS = 100;

export const rewind: Question = {
  name: 'rewind',
  async run(progress) {
    await using few = await deploy('write-pages', 'reset');
    await using many = await deploy('write-pages', 'reset');
    // The record of written pages is never cleared, so one request is enough.
    await write(many, PAGES);
    const turn = (subject: Subject) => async () => {
      const durations: number[] = [];
      for (let number = 0; number < REQUESTS; number++) durations.push(await write(subject, 0));
      return durations;
    };
    const measured = await alternate(ROUNDS, { few: turn(few), many: turn(many) }, (done, of) =>
      progress(`round ${done + 1} of ${of}`),
    );
    const added = measured.many.map(
      (round, index) => (median(round) - median(measured.few[index] ?? [])) / PAGES,
    );
    const row: Row = {
      question: 'rewind',
      figure: 'each page ever written adds',
      value: median(added),
      unit: 'µs',
      note: `a request after another that wrote ${PAGES} pages of 4 KiB took ${summarize(measured.many).p50.toFixed(0)} µs, without them ${summarize(measured.few).p50.toFixed(0)} µs`,
    };
    return [row];
  },
};

/** @returns microseconds from request to reply. */
async function write({ fn }: Subject, pages: number): Promise<number> {
  const start = performance.now();
  const reply = await fn.request({ url: `http://hatchery.test/?pages=${pages}` });
  const microseconds = (performance.now() - start) * 1000;
  if (reply.body.toString() !== String(pages * 4096)) throw new Error(`${pages} pages failed`);
  return microseconds;
}
