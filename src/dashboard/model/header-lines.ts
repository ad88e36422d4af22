/** Headers as lines of text, as people write them. */

export type HeaderPairs = [string, string][];

/** @throws Error that says which line is none */
export function parseHeaderLines(text: string): HeaderPairs {
  const pairs: HeaderPairs = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') {
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    if (name === '') {
      throw new Error(`Line ${index + 1} of the headers is not “Name: value”.`);
    }
    pairs.push([name, line.slice(colon + 1).trim()]);
  }
  return pairs;
}
