import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HANDLER } from './handler.js';
import { answerInProcess, type Peer } from './peer.js';

const SCRIPT = `${HANDLER}
const { parentPort, workerData } = require('node:worker_threads');
parentPort.postMessage(handle(workerData));
`;

/** A fresh worker thread for each request. */
export const workerThreads: Peer = {
  name: 'worker_threads',
  wall: 'a V8 isolate and thread, same process',
  count: 10,
  async open() {
    return {
      version: process.version,
      answer: (count, first) =>
        answerInProcess('worker_threads', count, first, async (url) => {
          const worker = new Worker(SCRIPT, { eval: true, workerData: url });
          const exited = once(worker, 'exit');
          const [text] = await once(worker, 'message');
          return {
            text,
            end: async () => {
              await exited;
            },
          };
        }),
    };
  },
};
