/**
 * What the Zerg page does in a browser: it asks for what is known only after the response, and for 100
 * more views. One file without imports, since it becomes a part of the page.
 */
import type { Step, View } from '../view.js';

const STEPS: readonly Step[] = ['A', 'B', 'C', 'F', 'G'];
const VIEW_HEADER = 'x-hatchery-view-id';
const VIEWS = 100;
/** How often a view is asked for whose instance is not gone yet, and how long in between. */
const ATTEMPTS = 40;
const PAUSE_MILLISECONDS = 50;
/** What the demo took, A to F, in milliseconds. */
const DEMO = 228.1;
const BINS_A_DECADE = 10;
const HEIGHT = 240;
const MARGIN = { top: 44, bottom: 28, side: 12 };
const SVG = 'http://www.w3.org/2000/svg';

const { base = '', view: ownId = '' } = document.body.dataset;

/** The same format as in function/phases-table.ts. */
function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 3 : 1)} ms`;
}

function find<Kind extends Element>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (found === null) {
    throw new Error(`the page has no ${selector}`);
  }
  return found;
}

const button = find<HTMLButtonElement>('#more');
const progress = find<HTMLOutputElement>('#progress');
const figure = find<HTMLElement>('#figure');
const histogram = find<HTMLElement>('#histogram');
const spread = find<HTMLTableElement>('#spread');
const missing = find<HTMLElement>('#missing');

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));

/** A view when its instance is gone. */
async function viewOf(id: string): Promise<View> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const response = await fetch(`${base}/views/${id}`);
    if (!response.ok) {
      throw new Error(((await response.json()) as { message: string }).message);
    }
    const view = (await response.json()) as View;
    if (view.isComplete) {
      return view;
    }
    await pause();
  }
  throw new Error('The instance is not gone yet.');
}

function fillIn({ steps, total }: View): void {
  for (const cell of document.querySelectorAll<HTMLElement>('[data-step]')) {
    const value = steps[cell.dataset.step as Step];
    cell.textContent = value === undefined ? '–' : milliseconds(value);
  }
  for (const place of document.querySelectorAll('[data-total]')) {
    place.textContent = total === undefined ? '–' : milliseconds(total);
  }
}

/** Asks for the page once more. @returns the view's id. */
async function anotherView(): Promise<string> {
  const response = await fetch(`${base}/`, { cache: 'no-store' });
  await response.text();
  const id = response.headers.get(VIEW_HEADER);
  if (!response.ok || id === null) {
    throw new Error(`A view was answered with status ${response.status}.`);
  }
  return id;
}

async function askForMore(): Promise<void> {
  const ids: string[] = [];
  // One after the other: else what is shown were the time in the queue.
  for (let count = 1; count <= VIEWS; count += 1) {
    ids.push(await anotherView());
    if (count % 10 === 0) {
      progress.textContent = `${count} of ${VIEWS}`;
    }
  }
  const views: View[] = [];
  for (const id of ids) {
    views.push(await viewOf(id));
  }
  show(views);
}

/** @param sorted and not empty. The nearest rank. */
function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] as number;
}

function sortedOf(views: readonly View[], value: (view: View) => number | undefined): number[] {
  return views
    .map(value)
    .filter((one) => one !== undefined)
    .sort((a, b) => a - b);
}

let shown: readonly number[] = [];

function show(views: readonly View[]): void {
  shown = sortedOf(views, ({ total }) => total);
  const [p50, p99] = [percentile(shown, 50), percentile(shown, 99)];
  figure.hidden = false;
  spread.hidden = false;
  draw();
  progress.textContent = `${views.length} views: p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`;
  const rows = STEPS.flatMap((step) => {
    const all = sortedOf(views, ({ steps }) => steps[step]);
    return all.length === 0 ? [] : [rowOf(step, percentile(all, 50), percentile(all, 99))];
  });
  find('#spread tbody').replaceChildren(...rows, rowOf('A to F', p50, p99));
}

function rowOf(name: string, p50: number, p99: number): HTMLTableRowElement {
  const row = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = name;
  const cells = [p50, p99].map((value) => {
    const cell = document.createElement('td');
    cell.textContent = milliseconds(value);
    return cell;
  });
  row.append(head, ...cells);
  return row;
}

type Attributes = Readonly<Record<string, string | number>>;

function shape(name: string, attributes: Attributes, text?: string): SVGElement {
  const element = document.createElementNS(SVG, name) as SVGElement;
  for (const [attribute, value] of Object.entries(attributes)) {
    element.setAttribute(attribute, String(value));
  }
  if (text !== undefined) {
    element.textContent = text;
  }
  return element;
}

/** As wide as there is room, in pixels, so that its text stays as large as the page's. */
function draw(): void {
  if (shown.length === 0) {
    return;
  }
  const width = Math.max(200, histogram.clientWidth);
  const first = Math.floor(Math.log10(shown[0] as number));
  const last = Math.max(3, Math.ceil(Math.log10(shown.at(-1) as number)));
  const x = (value: number) =>
    MARGIN.side + ((Math.log10(value) - first) / (last - first)) * (width - 2 * MARGIN.side);
  const [p50, p99] = [percentile(shown, 50), percentile(shown, 99)];
  const title = `${shown.length} views: p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`;
  const svg = shape('svg', {
    viewBox: `0 0 ${width} ${HEIGHT}`,
    height: HEIGHT,
    role: 'img',
    'aria-label': `Histogram of ${title}; the demo of 2013 took 228.1 ms`,
  });
  svg.append(
    ...axis(first, last, x),
    ...bars(first, last, x),
    ...mark(x(p50), 14, width, `p50 ${milliseconds(p50)}`),
    ...mark(x(p99), 28, width, `p99 ${milliseconds(p99)}`),
    ...mark(x(DEMO), 42, width, '2013: 0.2 s'),
  );
  histogram.replaceChildren(svg);
}

type Scale = (value: number) => number;

function axis(first: number, last: number, x: Scale): SVGElement[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const decades = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return decades.flatMap((decade) => {
    const at = x(10 ** decade);
    const anchor = decade === first ? 'start' : decade === last ? 'end' : 'middle';
    return [
      shape('line', { class: 'axis', x1: at, x2: at, y1: MARGIN.top, y2: bottom }),
      shape('text', { x: at, y: bottom + 18, 'text-anchor': anchor }, durationOf(decade)),
    ];
  });
}

/** 10 to the power of `decade` milliseconds. */
function durationOf(decade: number): string {
  const [power, unit] =
    decade < 0 ? [decade + 3, 'µs'] : decade < 3 ? [decade, 'ms'] : [decade - 3, 's'];
  return `${10 ** power} ${unit}`;
}

function bars(first: number, last: number, x: Scale): SVGElement[] {
  const counts = new Array<number>((last - first) * BINS_A_DECADE).fill(0);
  for (const value of shown) {
    const bin = Math.floor((Math.log10(value) - first) * BINS_A_DECADE);
    const within = Math.min(Math.max(bin, 0), counts.length - 1);
    counts[within] = (counts[within] as number) + 1;
  }
  const most = Math.max(...counts);
  const bottom = HEIGHT - MARGIN.bottom;
  return counts.flatMap((count, bin) => {
    if (count === 0) {
      return [];
    }
    const left = x(10 ** (first + bin / BINS_A_DECADE));
    const right = x(10 ** (first + (bin + 1) / BINS_A_DECADE));
    const height = (count / most) * (bottom - MARGIN.top);
    const [y, width] = [bottom - height, Math.max(1, right - left - 1)];
    return [shape('rect', { class: 'bar', x: left, y, width, height, 'data-count': count })];
  });
}

function mark(at: number, y: number, width: number, text: string): SVGElement[] {
  const isRight = at > width / 2;
  return [
    shape('line', { class: 'mark', x1: at, x2: at, y1: y - 10, y2: HEIGHT - MARGIN.bottom }),
    shape(
      'text',
      { x: at + (isRight ? -4 : 4), y, 'text-anchor': isRight ? 'end' : 'start' },
      text,
    ),
  ];
}

function complain(error: unknown): void {
  missing.textContent = `What is missing cannot be had: ${(error as Error).message}`;
  missing.hidden = false;
}

button.addEventListener('click', async () => {
  // Not `disabled`, which would take the focus away from who came by keyboard.
  if (button.getAttribute('aria-disabled') === 'true') {
    return;
  }
  button.setAttribute('aria-disabled', 'true');
  missing.hidden = true;
  try {
    await askForMore();
  } catch (error) {
    progress.textContent = '';
    complain(error);
  } finally {
    button.removeAttribute('aria-disabled');
  }
});
window.addEventListener('resize', draw);
viewOf(ownId).then(fillIn, complain);
