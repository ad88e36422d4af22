/** What does the second wall, a worker process without rights, cost on top of the first? */
import { putLoad } from '../harness/load.js';
import type { Row } from '../harness/report.js';
import { alternate } from '../harness/rounds.js';
import { type Server, startHatchery } from '../harness/server.js';
import { median } from '../harness/statistics.js';
import type { Question } from '../question.js';

const ROUNDS = 6;
const SECONDS = 2;
const CONNECTIONS = 16;

export const walls: Question = {
  name: 'walls',
  async run(progress) {
    const servers: Server[] = [];
    const turn = (server: Server) => async () => {
      const load = await putLoad(server.origin, { connections: CONNECTIONS, seconds: SECONDS });
      return [load.requestsPerSecond];
    };
    try {
      const worker = await startHatchery(['--workers', '1']);
      servers.push(worker);
      const alone = await startHatchery(['--workers', '0']);
      servers.push(alone);
      const rates = await alternate(
        ROUNDS,
        { worker: turn(worker), alone: turn(alone) },
        (done, of) => progress(`round ${done + 1} of ${of}, ${SECONDS} s each`),
      );
      const share = median(
        rates.worker.map((round, index) => median(round) / median(rates.alone[index] ?? [])),
      );
      const row: Row = {
        question: 'walls',
        figure: `requests at ${CONNECTIONS} connections, in a locked-down worker`,
        value: median(rates.worker.flat()),
        unit: 'requests/s',
        baseline: { name: 'in one process (--workers 0)', value: median(rates.alone.flat()) },
        ratio: share,
      };
      return [row];
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};
