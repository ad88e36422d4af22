import type { Durations } from '../harness/process-per-request.js';
import { deploy, fetchInTurn, liveInTurn, type Subject } from '../subject.js';
import { Absent, type Peer } from './peer.js';

/** @throws Absent where there is no KVM to run it. */
async function open(
  strategy: 'reset' | 'clone',
  answer: (subject: Subject, count: number, first: number) => Promise<Durations>,
) {
  const subject = await deploy('hello', strategy).catch((error: Error & { code?: string }) => {
    throw error.code === 'KVM_UNAVAILABLE' ? new Absent(error.message, { cause: error }) : error;
  });
  return {
    version: '',
    answer: (count: number, first: number) => answer(subject, count, first),
    close: () => subject.fabric.close(),
  };
}

/** The default: a rewind is over when the next request begins, so it is in that one's figure. */
export const hatcheryReset: Peer = {
  name: 'hatchery, reset',
  wall: 'a virtual machine, rewound to its snapshot',
  count: 300,
  open: () =>
    open('reset', async ({ fn }, count, first) => {
      const { response } = await fetchInTurn(fn, count, first);
      return { response, life: response };
    }),
};

/** Nothing made ahead, as with the peers. */
export const hatcheryClone: Peer = {
  name: 'hatchery, clone',
  wall: 'a virtual machine of its own',
  count: 50,
  open: () => open('clone', ({ fn }, count, first) => liveInTurn(fn, count, first)),
};
