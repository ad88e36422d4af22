import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { DISTINCT, path } from '../requests.js';
import { BUILD, ROOT, SOURCES } from './folders.js';
import { isInstalled } from './programs.js';

const execute = promisify(execFile);

export type LoadTool = 'wrk' | 'autocannon';

export interface Load {
  readonly requestsPerSecond: number;
  /** Microseconds from request to response; autocannon gives whole milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** wrk where it is installed: it takes least of the processor that the server needs. */
export function loadTool(): LoadTool {
  return isInstalled('wrk') ? 'wrk' : 'autocannon';
}

const PATHS = Array.from({ length: DISTINCT }, (_, number) => path(number));

async function wrk(origin: string, connections: number, seconds: number): Promise<Load> {
  const { stdout } = await execute('wrk', [
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    '--script',
    `${SOURCES}programs/distinct.lua`,
    origin,
    '--',
    ...PATHS,
  ]);
  const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  if (result.errors > 0) throw new Error(`${result.errors} requests to ${origin} failed`);
  return {
    requestsPerSecond: result.requests / (result.microseconds / 1e6),
    p50: result.p50,
    p99: result.p99,
  };
}

/** Autocannon's command line takes several requests only as a HAR file. */
function writeRequests(origin: string): string {
  const file = `${BUILD}requests.har`;
  const entries = PATHS.map((target) => ({
    request: { method: 'GET', url: origin + target, headers: [] },
  }));
  mkdirSync(BUILD, { recursive: true });
  writeFileSync(file, JSON.stringify({ log: { version: '1.2', entries } }));
  return file;
}

async function autocannon(origin: string, connections: number, seconds: number): Promise<Load> {
  const { stdout } = await execute(process.execPath, [
    `${ROOT}node_modules/autocannon/autocannon.js`,
    '--json',
    `--connections=${connections}`,
    `--duration=${seconds}`,
    `--har=${writeRequests(origin)}`,
    origin,
  ]);
  const result = JSON.parse(stdout);
  const failed = result.errors + result.timeouts + result.non2xx;
  if (failed > 0) throw new Error(`${failed} requests to ${origin} failed`);
  return {
    requestsPerSecond: result.requests.average,
    p50: result.latency.p50 * 1000,
    p99: result.latency.p99 * 1000,
  };
}

/**
 * Sends the distinct requests in turn over the loopback interface, as fast as they are answered.
 *
 * @param origin without a slash at the end.
 * @throws Error when a request fails or is answered with an error.
 */
export function putLoad(
  origin: string,
  options: { readonly connections: number; readonly seconds: number },
): Promise<Load> {
  const tool = loadTool() === 'wrk' ? wrk : autocannon;
  return tool(origin, options.connections, options.seconds);
}
