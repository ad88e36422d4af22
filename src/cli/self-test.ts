/** Requests that a server sends to itself, one after another, to say how long one takes. */
import { Agent, get } from 'node:http';

export interface SelfTest {
  readonly requests: number;
  /** Milliseconds, from sending a request to the end of its response. */
  readonly p50: number;
  readonly p99: number;
  /** Responses with a status of 500 or more. */
  readonly failed: number;
}

/** @throws Error when a request gets no response */
export async function selfTest(url: string, requests: number): Promise<SelfTest> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const durations: number[] = [];
  let failed = 0;
  try {
    for (let i = 0; i < requests; i += 1) {
      const start = performance.now();
      const status = await statusOf(url, agent);
      durations.push(performance.now() - start);
      failed += status >= 500 ? 1 : 0;
    }
  } finally {
    agent.destroy();
  }
  durations.sort((a, b) => a - b);
  return { requests, p50: quantile(durations, 0.5), p99: quantile(durations, 0.99), failed };
}

function statusOf(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', reject);
    }).once('error', reject);
  });
}

/** The smallest value that at least the share `q` of the sorted values does not exceed. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;
}
