/** How requests end. */

export const OUTCOMES = ['served', 'crashed', 'killed', 'refused'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** How many ended so. */
export type Outcomes = Readonly<Record<Outcome, number>>;

/** What each means, for people. */
export const MEANINGS: Readonly<Record<Outcome, string>> = {
  served: 'the function answered',
  crashed: 'the function threw or crashed',
  killed: 'a limit was hit, or the client went',
  refused: 'no instance had it',
};

export const NONE: Outcomes = { served: 0, crashed: 0, killed: 0, refused: 0 };

export function isOutcome(type: string): type is Outcome {
  return (OUTCOMES as readonly string[]).includes(type);
}

export function outcomesBetween(now: Outcomes, before: Outcomes = NONE): Outcomes {
  const { served, crashed, killed, refused } = now;
  return {
    served: served - before.served,
    crashed: crashed - before.crashed,
    killed: killed - before.killed,
    refused: refused - before.refused,
  };
}

export function totalOf({ served, crashed, killed, refused }: Outcomes): number {
  return served + crashed + killed + refused;
}
