import { bySpeed, formatDuration, type PeerResult } from './result.js';

const BEGIN = '<!-- bench:peers -->';
const END = '<!-- /bench:peers -->';

/** The README's table, in Markdown. */
export function markdownTable(results: readonly PeerResult[]): string {
  const lines = bySpeed(results).map(({ name, version, own, wall, response, life, times }) => {
    const title = version === '' ? `\`${name}\`` : `\`${name}\` ${version}`;
    return [
      own ? `**${name}**` : title,
      wall,
      formatDuration(response.p50),
      formatDuration(response.p99),
      formatDuration(life.p50),
      times < 10 ? times.toFixed(1) : times.toFixed(0),
    ];
  });
  return [
    ['a fresh one for each request', 'what separates two requests', 'p50', 'p99', 'and gone', '×'],
    ['---', '---', '---:', '---:', '---:', '---:'],
    ...lines,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** What one has to know to read the table. */
export const LEGEND =
  'p50 and p99 are from request to response. “And gone” is the median until the instance is gone as ' +
  'well. × is how many times the first line of ours it takes, compared round by round.';

/**
 * Replaces what stands between the two markers of a page.
 *
 * @throws Error when the page does not have both markers, in order.
 */
export function replaceBetweenMarkers(page: string, text: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`;
}
