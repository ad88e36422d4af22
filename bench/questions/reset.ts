/** What does a request in a rewound virtual machine cost, compared with a process? */
import { answerByProcesses } from '../harness/process-per-request.js';
import { compileProgram } from '../harness/programs.js';
import { atMost } from '../harness/report.js';
import { alternate } from '../harness/rounds.js';
import { ratio, summarize } from '../harness/statistics.js';
import type { Question } from '../question.js';
import { URL_TEMPLATE } from '../requests.js';
import { deploy, fetchInTurn, requestInTurn } from '../subject.js';

const ROUNDS = 20;
const REQUESTS = 1000;
const PROCESSES = 300;
const SHARE = 0.6;
const SPREAD = 4;

export const reset: Question = {
  name: 'reset',
  async run(progress) {
    await using subject = await deploy('hello', 'reset');
    const command = [compileProgram('hello'), URL_TEMPLATE];
    const whole: number[][] = [];
    const { hatchery, parts, process } = await alternate(
      ROUNDS,
      {
        hatchery: async (round) => {
          const durations = await fetchInTurn(subject.fn, REQUESTS, round * REQUESTS);
          whole.push(durations.whole);
          return durations.response;
        },
        parts: (round) => requestInTurn(subject.fn, REQUESTS, round * REQUESTS),
        process: async (round) =>
          (await answerByProcesses(command, { count: PROCESSES, first: round * PROCESSES })).life,
      },
      (done, of) => progress(`round ${done + 1} of ${of}`),
    );
    const response = summarize(hatchery);
    const baseline = summarize(process);
    const share = ratio(hatchery, process);
    const spread = response.p99 / response.p50;
    return [
      {
        question: 'reset',
        figure: 'spawn to response, library, p50',
        value: response.p50,
        unit: 'µs',
        baseline: { name: 'posix_spawn+wait', value: baseline.p50 },
        ratio: share,
        target: atMost(share, SHARE, `at most ${SHARE}`),
        note: 'fn.fetch(request) until it has resolved, one after the other, so that the rewind is in it; the process is a static musl program that prints the same bytes',
      },
      {
        question: 'reset',
        figure: 'spawn to response, library, p99',
        value: response.p99,
        unit: 'µs',
        baseline: { name: 'its p50', value: response.p50 },
        ratio: spread,
        target: atMost(spread, SPREAD, `at most ${SPREAD} times its p50`),
      },
      {
        question: 'reset',
        figure: 'the same with Request made and body read, p50',
        value: summarize(whole.slice(1)).p50,
        unit: 'µs',
      },
      {
        question: 'reset',
        figure: 'by parts, without Request and Response, p50',
        value: summarize(parts).p50,
        unit: 'µs',
        baseline: { name: 'posix_spawn+wait', value: baseline.p50 },
        ratio: ratio(parts, process),
        note: 'fn.request({ url }), the same request and answer',
      },
    ];
  },
};
