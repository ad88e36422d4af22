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
/** Long enough that the last instance is gone and the next one's shell is there. */
const PAUSE_MILLISECONDS = 5;
const NODE = [process.execPath, '-e', '0'];

/** Rounds of microseconds. */
type Rounds = number[][];

interface Measured {
  /** Request to response when the instance before is gone, as with the processes. */
  readonly response: Rounds;
  /** The same without waiting for that. */
  readonly unbroken: Rounds;
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
      response: async (round) => {
        const first = round * REQUESTS;
        return (await fetchInTurn(fn, REQUESTS, first, PAUSE_MILLISECONDS)).response;
      },
      unbroken: async (round) => (await fetchInTurn(fn, REQUESTS, round * REQUESTS)).response,
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

const PAUSED = `shells are made ahead, as the library does it; each request comes ${PAUSE_MILLISECONDS} ms after the response before, when that instance is gone, as each process waits for the end of the one before`;
const UNBROKEN =
  'each request right after the response before, while that instance is destroyed and the next shell is made on the same cores';
const LIFE =
  'spawn(), fetch(), kill(), one after the other, nothing made ahead; bwrap until it is waited for';

function rows(measured: Measured): Row[] {
  const { response, unbroken, life, node, sandboxResponse, sandboxLife } = measured;
  const bwrap = 'bwrap --unshare-all';
  const figure = 'request to response, p50';
  return [
    { ...compare(figure, response, bwrap, sandboxResponse, 1 / 2), note: PAUSED },
    compare(figure, response, 'node -e 0', node, 1 / 20),
    { ...compare(`${figure}, unbroken`, unbroken, bwrap, sandboxResponse), note: UNBROKEN },
    { ...compare('whole life with destroy, p50', life, bwrap, sandboxLife, 0.8), note: LIFE },
  ];
}

/** @param limit the target, where there is one: how much of the baseline it may take. */
function compare(
  figure: string,
  subject: Rounds,
  name: string,
  baseline: Rounds,
  limit?: number,
): Row {
  const share = ratio(subject, baseline);
  return {
    question: 'clone',
    figure,
    value: summarize(subject).p50,
    unit: 'µs',
    baseline: { name, value: summarize(baseline).p50 },
    ratio: share,
    ...(limit === undefined ? {} : { target: atMost(share, limit, `at most ${limit}`) }),
  };
}
