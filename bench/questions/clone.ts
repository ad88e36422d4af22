/** What does a virtual machine object for each request cost, compared with a sandboxed process? */
import { answerByProcesses } from '../harness/process-per-request.js';
import { isInstalled } from '../harness/programs.js';
import { atMost, type Row } from '../harness/report.js';
import { alternate } from '../harness/rounds.js';
import { ratio, summarize } from '../harness/statistics.js';
import { bubblewrapCommand } from '../peers/processes.js';
import type { Question } from '../question.js';
import { deploy, fetchInTurn, liveInTurn, type Subject } from '../subject.js';

const ROUNDS = 15;
const REQUESTS = 100;
const SANDBOXES = 50;
const NODES = 3;
const NODE = [process.execPath, '-e', '0'];

/** Rounds of microseconds. */
type Rounds = number[][];

interface Measured {
  /** Request to response, shells made ahead as the library does it. */
  readonly response: Rounds;
  /** From nothing to nothing: create, answer, destroy. */
  readonly life: Rounds;
  readonly node: Rounds;
  readonly sandboxResponse: Rounds;
  readonly sandboxLife: Rounds;
}

export const clone: Question = {
  name: 'clone',
  async run(progress) {
    if (!isInstalled('bwrap')) {
      throw new Error('install bubblewrap: the figures of clone are compared with it');
    }
    await using subject = await deploy('hello', 'clone');
    return rows(await measure(subject, progress));
  },
};

async function measure({ fn }: Subject, progress: (text: string) => void): Promise<Measured> {
  const lives: Rounds = [];
  const sides = await alternate(
    ROUNDS,
    {
      response: async (round) => (await fetchInTurn(fn, REQUESTS, round * REQUESTS)).response,
      life: async (round) => (await liveInTurn(fn, REQUESTS, round * REQUESTS)).life,
      sandboxResponse: async (round) => {
        const first = round * SANDBOXES;
        const durations = await answerByProcesses(bubblewrapCommand(), { count: SANDBOXES, first });
        lives.push(durations.life);
        return durations.response;
      },
      node: async () =>
        (await answerByProcesses(NODE, { count: NODES, first: 0, expected: '' })).life,
    },
    (done, of) => progress(`round ${done + 1} of ${of}`),
  );
  // The first turn was a warm-up.
  return { ...sides, sandboxLife: lives.slice(1) };
}

function rows(measured: Measured): Row[] {
  const bwrap = 'bwrap --unshare-all';
  return [
    compare('request to response', measured.response, bwrap, measured.sandboxResponse, 1 / 2),
    compare('request to response', measured.response, 'node -e 0', measured.node, 1 / 20),
    compare('whole life with destroy', measured.life, bwrap, measured.sandboxLife, 0.8),
  ];
}

function compare(
  figure: string,
  subject: Rounds,
  name: string,
  baseline: Rounds,
  limit: number,
): Row {
  const share = ratio(subject, baseline);
  return {
    question: 'clone',
    figure: `${figure}, p50`,
    value: summarize(subject).p50,
    unit: 'µs',
    baseline: { name, value: summarize(baseline).p50 },
    ratio: share,
    target: atMost(share, limit, `at most ${limit} of ${name}`),
    note: 'one request after the other; response by response, life by life; the life is that of an instance made by spawn(), with nothing made ahead',
  };
}
