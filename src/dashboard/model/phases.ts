/** The phases of a request, in their order, and what they are. */

export const PHASES: Readonly<Record<string, string>> = {
  total: 'from the request to its answer’s end',
  accept: 'head and body read',
  queue: 'waiting for a machine',
  spawn: 'making it this request’s',
  guest: 'the guest ran',
  reply: 'handing the answer on',
  end: 'rewound or destroyed, afterwards',
  load: 'image read and laid out',
  create: 'machine made',
  boot: 'up to the snapshot point',
  init: 'snapshot taken',
};

const ORDER = Object.keys(PHASES);

/** Those that are known first, in their order; then others, by name. */
export function inOrder(names: Iterable<string>): string[] {
  const rank = (name: string) => {
    const known = ORDER.indexOf(name);
    return known < 0 ? ORDER.length : known;
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** What lies on the way from the request to its answer. */
export function totalOf(timeline: Readonly<Record<string, number>>): number {
  let total = 0;
  for (const [name, milliseconds] of Object.entries(timeline)) {
    total += name === 'end' || name === 'total' ? 0 : milliseconds;
  }
  return total;
}

const LEAST = 0.001;
const DECADES = 7;

/** Where a duration lies between 1 µs and 10 s, from 0 to 1; each decade is as wide. */
export function onScale(milliseconds: number): number {
  const decades = Math.log10(Math.max(milliseconds, LEAST) / LEAST);
  return Math.min(1, decades / DECADES);
}
