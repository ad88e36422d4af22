/** How long each phase of requests takes. */
import { useState } from 'preact/hooks';
import { quantileText, whole } from '../model/formats.js';
import { difference, type Histogram, type Quantile, quantile } from '../model/histogram.js';
import { inOrder, onScale, PHASES } from '../model/phases.js';
import { Bar, Panel, Scrolling } from './parts.js';

type Phases = Readonly<Record<string, Histogram>>;

interface PhasesTableProps {
  readonly bounds: readonly number[];
  /** Since the server's start; `undefined`: not known yet. */
  readonly now: Phases | undefined;
  /** The same a minute ago. */
  readonly before: Phases | undefined;
}

export function PhasesTable({ bounds, now, before }: PhasesTableProps) {
  const [isAll, setIsAll] = useState(false);
  const names = inOrder(Object.keys(now ?? {})).filter((name) => (now?.[name]?.count ?? 0) > 0);
  return (
    <Panel title="Time by phase" id="phases">
      <label class="choice">
        <input
          type="checkbox"
          checked={isAll}
          onChange={(event) => setIsAll(event.currentTarget.checked)}
        />{' '}
        since the server’s start, not only the last minute
      </label>
      {now === undefined || names.length === 0 ? (
        <p class="quiet">No request has been answered yet.</p>
      ) : (
        <Scrolling label="Time by phase">
          <table>
            <thead>
              <tr>
                <th scope="col">Phase</th>
                <th scope="col">Requests</th>
                <th scope="col">p50</th>
                <th scope="col">p99</th>
                <th scope="col" class="bars">
                  p50 above p99
                </th>
              </tr>
            </thead>
            <tbody>
              {names.map((name) => {
                const all = now[name] as Histogram;
                const shown = isAll ? all : difference(all, before?.[name]);
                return <PhaseRow key={name} name={name} bounds={bounds} histogram={shown} />;
              })}
            </tbody>
          </table>
        </Scrolling>
      )}
    </Panel>
  );
}

interface PhaseRowProps {
  readonly name: string;
  readonly bounds: readonly number[];
  readonly histogram: Histogram;
}

function PhaseRow({ name, bounds, histogram }: PhaseRowProps) {
  const [p50, p99] = [0.5, 0.99].map((part) => quantile(bounds, histogram, part));
  return (
    <tr data-phase={name}>
      <th scope="row">
        {name} <small>{PHASES[name] ?? ''}</small>
      </th>
      <td>{whole(histogram.count)}</td>
      <td>{quantileText(p50)}</td>
      <td>{quantileText(p99)}</td>
      <td class="bars">
        <QuantileBar quantile={p50} kind="p50" />
        <QuantileBar quantile={p99} kind="p99" />
      </td>
    </tr>
  );
}

function QuantileBar(props: { readonly quantile: Quantile | undefined; readonly kind: string }) {
  const { quantile: shown, kind } = props;
  return <Bar part={shown === undefined ? 0 : onScale(shown.milliseconds)} kind={kind} />;
}
