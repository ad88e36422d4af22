/** The phases of a view beside those of the demo. */
import type { Strategy } from '../../drivers/driver.js';
import { type Facts, STEPS, type Step, type Steps } from '../view.js';
import { type Html, html } from './html.js';

/** What the demo published, in milliseconds; its phase G has no figure. */
const DEMO: Readonly<Record<Step, number | undefined>> = {
  ...{ A: 103.3, B: 3.0, C: 119.0, D: 0.9, E: 0.7, F: 1.2, G: undefined },
};

const TITLES: Readonly<Record<Step, string>> = {
  A: 'Request received to instance created',
  B: 'To its first instruction',
  C: 'Runtime started',
  D: 'Application started',
  E: 'Ready reported',
  F: 'Reply routed',
  G: 'Instance gone',
};

/** What of it is measured here, as `Server-Timing` and the API name it. */
const MEASURED: Readonly<Record<Step, string>> = {
  ...{ A: 'accept + queue + load + create', B: 'spawn', C: 'boot', D: 'within boot' },
  ...{ E: 'within boot', F: 'guest + reply', G: 'end' },
};

/** How a view comes by the phases that it has not itself. */
const SKIPPED: Readonly<Record<Strategy, string>> = {
  ...{ reset: 'skipped', clone: 'skipped', pool: 'ahead', boot: 'within C' },
};

/** The same format as in browser/page.ts. */
export function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 3 : 1)} ms`;
}

export function phasesTable({ view, start }: Facts): Html {
  const { strategy, steps } = view;
  const hasStart = strategy !== 'boot';
  const row = (step: Step) => html`
    <tr>
      <th scope="row"><b>${step}</b> ${TITLES[step]} <small>${MEASURED[step]}</small></th>
      <td>${demo(DEMO[step])}</td>
      ${viewCell(step, steps, strategy)}
      ${hasStart ? html`<td>${startText(step, start.steps)}</td>` : ''}
    </tr>`;
  return html`<table id="phases">
    <caption>A view, phase by phase</caption>
    <thead>
      <tr>
        <th scope="col">Phase</th>
        <th scope="col">Demo, 2013</th>
        <th scope="col">This view</th>
        ${hasStart ? html`<th scope="col">The boot, at deploy</th>` : ''}
      </tr>
    </thead>
    <tbody>${STEPS.map(row)}${start.snapshot === undefined ? '' : snapshotRow(start.snapshot)}
    </tbody>
    <tfoot>
      <tr>
        <th scope="row">A to F</th>
        <td>0.2 s</td>
        <td data-total aria-live="polite">…</td>
        ${hasStart ? html`<td>once</td>` : ''}
      </tr>
    </tfoot>
  </table>`;
}

function demo(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(1)} ms`;
}

/** What is not known yet, the page's script fills in. */
function viewCell(step: Step, steps: Steps, strategy: Strategy): Html {
  const value = steps[step];
  if (value !== undefined) {
    return html`<td>${milliseconds(value)}</td>`;
  }
  const isBooted = steps.C !== undefined;
  if (isBooted && 'BDE'.includes(step)) {
    return html`<td class="quiet">within C</td>`;
  }
  return 'CDE'.includes(step)
    ? html`<td class="quiet">${SKIPPED[strategy]}</td>`
    : html`<td data-step="${step}">…</td>`;
}

function startText(step: Step, steps: Steps): string {
  const value = steps[step];
  if (value !== undefined) {
    return milliseconds(value);
  }
  return 'BDE'.includes(step) ? 'within C' : '–';
}

function snapshotRow(snapshot: number): Html {
  return html`
    <tr>
      <th scope="row">Snapshot taken, and the first instance made of it <small>init</small></th>
      <td>–</td>
      <td class="quiet">skipped</td>
      <td>${milliseconds(snapshot)}</td>
    </tr>`;
}
