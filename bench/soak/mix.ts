/** What is asked of the function under test, how often, and what has to come back. */

export interface Behaviour {
  /** Of 1,000 requests. */
  readonly share: number;
  /** Default: that of the error. */
  readonly status?: number;
  /** What an error has to say: one of these. */
  readonly codes?: readonly string[];
}

export const MIX: Readonly<Record<string, Behaviour>> = {
  good: { share: 800, status: 200 },
  wait: { share: 60, status: 200 },
  stream: { share: 40, status: 200 },
  later: { share: 20, status: 200 },
  throw: { share: 30, codes: ['FUNCTION_THREW'] },
  hang: { share: 10, codes: ['CPU_EXCEEDED', 'DEADLINE_EXCEEDED'] },
  stall: { share: 20, codes: ['FUNCTION_STALLED'] },
  sleep: { share: 5, codes: ['DEADLINE_EXCEEDED'] },
  // Which limit these meet first depends on how much of the machine they get.
  hungry: { share: 5, codes: ['MEMORY_EXCEEDED', 'CPU_EXCEEDED', 'DEADLINE_EXCEEDED'] },
  chatty: { share: 10, codes: ['LOG_EXCEEDED'] },
};

/** Limits that the bad ones meet soon. */
export const SERVE_OPTIONS = [
  ...['--cpu-ms', '50'],
  ...['--wall-ms', '3000'],
  ...['--memory', '32MiB'],
  ...['--max-log', '64KiB'],
  ...['--log-level', 'fatal'],
] as const;

const DECK = Object.entries(MIX).flatMap(([name, { share }]) => Array<string>(share).fill(name));

/** One of them, as often as its share says. @param random from 0 to 1, without 1. */
export function draw(random: number): string {
  return DECK[Math.floor(random * DECK.length)] as string;
}
