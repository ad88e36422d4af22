import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ANSWER_TEMPLATE, DISTINCT } from '../requests.js';
import { compileProgram } from './programs.js';

const execute = promisify(execFile);

/** Durations in microseconds, one entry of each for each request. */
export interface Durations {
  /** From the start of the process until its whole answer was read. */
  readonly response: number[];
  /** Until the process was waited for as well. */
  readonly life: number[];
}

export interface SpawnOptions {
  readonly count: number;
  /** Number of the first request. */
  readonly first: number;
  /** What each process must print, `{n}` for the number; an empty text for nothing. */
  readonly expected?: string;
  /** Runs the measuring program itself under this command, whose cost is not measured. */
  readonly under?: readonly string[];
}

/**
 * Answers requests with a process each, started by a small C program (`programs/spawn.c`) so that
 * the cost of Node's own child_process is not in the figures.
 *
 * @param command the program and its arguments; `{n}` stands for the number of the request.
 * @throws Error when the process cannot be started, fails, or prints anything else.
 */
export async function answerByProcesses(
  command: readonly string[],
  { count, first, expected = ANSWER_TEMPLATE, under = [] }: SpawnOptions,
): Promise<Durations> {
  const counts = [count, first, DISTINCT].map(String);
  const words = [...under, compileProgram('spawn'), ...counts, expected, ...command];
  const { stdout } = await execute(words[0] as string, words.slice(1));
  const durations: Durations = { response: [], life: [] };
  for (const line of stdout.trimEnd().split('\n')) {
    const [response, life] = line.split(' ').map((nanoseconds) => Number(nanoseconds) / 1000);
    if (response === undefined || life === undefined) throw new Error(`spawn printed: ${line}`);
    durations.response.push(response);
    durations.life.push(life);
  }
  return durations;
}
