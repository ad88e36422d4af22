import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, DISTINCT, path } from '../requests.js';
import { ROOT, SOURCES } from './folders.js';

const START_MILLISECONDS = 20_000;
const STOP_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 20;

/** A server in a process of its own, as its users run it. */
export interface Server {
  readonly name: string;
  /** Origin, without a slash at the end. */
  readonly origin: string;
  readonly processId: number;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(origin: string): Promise<boolean> {
  try {
    return (await fetch(origin + path(0))).ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
  await exited;
  clearTimeout(timer);
}

/**
 * Starts `node ARGUMENTS` and waits until it answers each of the distinct requests correctly.
 *
 * @param argumentsFor gives the arguments for the port, on which the process has to listen on
 *   127.0.0.1.
 * @throws Error with what the process printed, when it ends or does not answer within 20 s.
 */
export async function startServer(
  name: string,
  argumentsFor: (port: number) => readonly string[],
): Promise<Server> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, argumentsFor(port), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-4000);
    });
  }
  try {
    const deadline = performance.now() + START_MILLISECONDS;
    while (!(await answers(origin))) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
      if (performance.now() > deadline) throw new Error(`${name} does not answer at ${origin}`);
      await sleep(POLL_MILLISECONDS);
    }
    for (let number = 0; number < DISTINCT; number++) {
      check(number, await (await fetch(origin + path(number))).text(), name);
    }
  } catch (cause) {
    await stop(child);
    throw new Error(`${name} did not start:\n${printed}`, { cause });
  }
  return { name, origin, processId: child.pid as number, stop: () => stop(child) };
}

/**
 * The function that is measured, served by the command line's `serve` with all its defaults.
 * @param options in place of defaults.
 */
export function startHatchery(options: readonly string[] = []): Promise<Server> {
  return startServer('hatchery', (port) => [
    `${ROOT}dist/src/cli/main.js`,
    'serve',
    `${SOURCES}functions/hello.ts`,
    '--port',
    String(port),
    ...options,
  ]);
}

/** A bare fastify server that gives the same answers. */
export function startFastify(): Promise<Server> {
  return startServer('fastify', (port) => [`${ROOT}dist/bench/processes/fastify.js`, String(port)]);
}
