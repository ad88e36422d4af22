/** One turn of one side of a comparison; resolves to its samples. */
export type Turn = (round: number) => Promise<readonly number[]> | readonly number[];

/**
 * Lets the sides of a comparison take turns (A B C, A B C, …), so that whatever else the machine does
 * meets all of them alike.
 *
 * @param rounds how many turns each side takes; the first turn of each is thrown away as warm-up
 *   and comes on top.
 * @param progress called before each round with the number of rounds that are done.
 * @returns for each side its samples, one array for each round.
 */
export async function alternate<Name extends string>(
  rounds: number,
  sides: Readonly<Record<Name, Turn>>,
  progress: (done: number, of: number) => void = () => {},
): Promise<Record<Name, number[][]>> {
  const names = Object.keys(sides) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[][]
  >;
  for (let round = -1; round < rounds; round++) {
    progress(Math.max(0, round), rounds);
    for (const name of names) {
      const taken = await sides[name](Math.max(0, round));
      if (round >= 0) samples[name].push([...taken]);
    }
  }
  return samples;
}
