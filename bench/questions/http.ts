/** What does a virtual machine for each request cost a busy HTTP server? */
import { type Load, loadTool, putLoad } from '../harness/load.js';
import { atLeast, type Row } from '../harness/report.js';
import { alternate } from '../harness/rounds.js';
import { type Server, startFastify, startHatchery } from '../harness/server.js';
import { median } from '../harness/statistics.js';
import type { Question } from '../question.js';

const ROUNDS = 5;
const SECONDS = 3;
const CONNECTIONS = 16;
const SHARE = 1 / 6;

export const http: Question = {
  name: 'http',
  async run(progress) {
    const servers: Server[] = [];
    const loads: Record<string, Load[]> = {};
    const turn = (server: Server) => async () => {
      const load = await putLoad(server.origin, { connections: CONNECTIONS, seconds: SECONDS });
      loads[server.name] = [...(loads[server.name] ?? []), load];
      return [load.requestsPerSecond];
    };
    try {
      const hatchery = await startHatchery();
      servers.push(hatchery);
      const fastify = await startFastify();
      servers.push(fastify);
      const rates = await alternate(
        ROUNDS,
        { hatchery: turn(hatchery), fastify: turn(fastify) },
        (done, of) => progress(`round ${done + 1} of ${of}, ${SECONDS} s each`),
      );
      return rows(rates, loads);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};

function rows(
  rates: Readonly<Record<'hatchery' | 'fastify', number[][]>>,
  loads: Readonly<Record<string, readonly Load[]>>,
): Row[] {
  const share = median(
    rates.hatchery.map((round, index) => median(round) / median(rates.fastify[index] ?? [])),
  );
  const latency = (name: string, which: 'p50' | 'p99') =>
    median((loads[name] ?? []).slice(1).map((load) => load[which]));
  const latencyRow = (which: 'p50' | 'p99'): Row => ({
    question: 'http',
    figure: `latency at ${CONNECTIONS} connections, ${which}`,
    value: latency('hatchery', which),
    unit: 'µs',
    baseline: { name: 'fastify', value: latency('fastify', which) },
  });
  return [
    {
      question: 'http',
      figure: `requests at ${CONNECTIONS} connections`,
      value: median(rates.hatchery.flat()),
      unit: 'requests/s',
      baseline: { name: 'fastify', value: median(rates.fastify.flat()) },
      ratio: share,
      target: atLeast(share, SHARE, 'at least 1/6 of bare fastify'),
      note: `loopback, ${loadTool()} with one thread on the same machine; fastify is one process, Hatchery as it comes`,
    },
    latencyRow('p50'),
    latencyRow('p99'),
  ];
}
