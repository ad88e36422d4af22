import { bySpeed, formatDuration, type PeerResult } from './result.js';

const WIDTH = 760;
const LABELS = 190;
const RIGHT = 130;
const TOP = 64;
const ROW = 30;
const BOTTOM = 44;

/** Both colour schemes bring their background along, so that the chart can be read on any page. */
const STYLE = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
    .background { fill: #ffffff; stroke: #d0d7de; }
    .title { font-size: 15px; font-weight: 600; }
    .title, .label, .value { fill: #1f2328; }
    .quiet { fill: #59636e; }
    .grid { stroke: #d8dee4; }
    .range { stroke: #818b98; stroke-width: 3; stroke-linecap: round; }
    .half { fill: #59636e; }
    .tail { fill: #ffffff; stroke: #59636e; stroke-width: 2; }
    .own.range { stroke: #54aeff; }
    .own.half { fill: #0969da; }
    .own.tail { stroke: #0969da; }
    .own.label { font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      .background { fill: #0d1117; stroke: #3d444d; }
      .title, .label, .value { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .grid { stroke: #2a313c; }
      .range { stroke: #656c76; }
      .half { fill: #9198a1; }
      .tail { fill: #0d1117; stroke: #9198a1; }
      .own.range { stroke: #1f6feb; }
      .own.half { fill: #58a6ff; }
      .own.tail { stroke: #58a6ff; }
    }`;

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function formatTick(microseconds: number): string {
  return microseconds < 1000 ? `${microseconds} µs` : `${microseconds / 1000} ms`;
}

/** Powers of ten that enclose all values. */
export function decades(values: readonly number[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

/**
 * A chart of p50 and p99 of request to response on a logarithmic axis, fastest first, as an SVG
 * document that tells the same in its title and description.
 *
 * @throws RangeError without results.
 */
export function chart(results: readonly PeerResult[]): string {
  if (results.length === 0) throw new RangeError('there is nothing to draw');
  const sorted = bySpeed(results);
  const ticks = decades(sorted.flatMap(({ response }) => [response.p50, response.p99]));
  const low = Math.log10(ticks[0] ?? 1);
  const high = Math.log10(ticks.at(-1) ?? 10);
  const x = (value: number): number =>
    Math.round(
      10 * (LABELS + ((Math.log10(value) - low) / (high - low)) * (WIDTH - LABELS - RIGHT)),
    ) / 10;
  const height = TOP + sorted.length * ROW + BOTTOM;
  const axis = TOP + sorted.length * ROW;

  const grid = ticks.map(
    (tick) => `
  <line class="grid" x1="${x(tick)}" y1="${TOP - 8}" x2="${x(tick)}" y2="${axis}"/>
  <text class="quiet" x="${x(tick)}" y="${axis + 20}" text-anchor="middle">${formatTick(tick)}</text>`,
  );
  const rows = sorted.map(({ name, own, response }, index) => {
    const y = TOP + index * ROW + ROW / 2;
    const mark = own ? 'own ' : '';
    return `
  <text class="${mark}label" x="${LABELS - 16}" y="${y + 4}" text-anchor="end">${escapeText(name)}</text>
  <line class="${mark}range" x1="${x(response.p50)}" y1="${y}" x2="${x(response.p99)}" y2="${y}"/>
  <circle class="${mark}tail" cx="${x(response.p99)}" cy="${y}" r="5"/>
  <circle class="${mark}half" cx="${x(response.p50)}" cy="${y}" r="6"/>
  <text class="value" x="${x(response.p99) + 12}" y="${y + 4}">${formatDuration(response.p50)} / ${formatDuration(response.p99)}</text>`;
  });
  const told = sorted.map(
    ({ name, response }) =>
      `${name}: ${formatDuration(response.p50)}, ${formatDuration(response.p99)}`,
  );

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">
  <title id="title">From request to response, a fresh instance for each request</title>
  <desc id="description">Median and 99th percentile, logarithmic axis. ${escapeText(told.join('. '))}.</desc>
  <style>${STYLE}
  </style>
  <rect class="background" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  <text class="title" x="20" y="28">From request to response, a fresh instance for each request</text>
  <circle class="half" cx="${WIDTH - 150}" cy="24" r="6"/><text class="quiet" x="${WIDTH - 140}" y="28">p50</text>
  <circle class="tail" cx="${WIDTH - 90}" cy="24" r="5"/><text class="quiet" x="${WIDTH - 80}" y="28">p99</text>${grid.join('')}${rows.join('')}
</svg>
`;
}
