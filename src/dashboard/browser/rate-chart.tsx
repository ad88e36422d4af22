/** Requests a second, over the last five minutes, by how they ended. */
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { minuteOfDay, rate } from '../model/formats.js';
import { OUTCOMES, totalOf } from '../model/outcomes.js';
import { RATES_MILLISECONDS, type Rate } from '../model/readings.js';
import { colorOf, useScheme } from './colors.js';
import { OutcomeMark, Panel } from './parts.js';
import { useKnown } from './use-live.js';

const HEIGHT = 190;
const FONT = '12px system-ui, sans-serif';

export function RateChart() {
  const { rates } = useKnown().readings;
  const last = rates.at(-1);
  const most = Math.max(0, ...rates.map(totalOf));
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | undefined>(undefined);
  const scheme = useScheme();
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const made = new UPlot(optionsOf(element.clientWidth), dataOf([]), element);
    chart.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [scheme]);
  useEffect(() => chart.current?.setData(dataOf(rates)), [rates, last, scheme]);
  const summary =
    last === undefined
      ? 'No rate is known yet.'
      : `Requests a second: ${rate(totalOf(last))} now, ${rate(most)} at most in five minutes.`;
  return (
    <Panel title="Requests a second" id="rates">
      <div ref={place} class="chart" role="img" aria-label={summary} />
      <ul class="legend">
        {OUTCOMES.map((outcome) => (
          <li key={outcome}>
            <OutcomeMark outcome={outcome} /> {rate(last?.[outcome] ?? 0)}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function dataOf(rates: readonly Rate[]): UPlot.AlignedData {
  return [
    rates.map(({ at }) => at / 1_000),
    ...OUTCOMES.map((outcome) => rates.map((one) => one[outcome])),
  ];
}

function optionsOf(width: number): UPlot.Options {
  const axis = {
    ...{ stroke: colorOf('--quiet'), font: FONT },
    ...{ grid: { stroke: colorOf('--line'), width: 1 }, ticks: { stroke: colorOf('--line') } },
  };
  return {
    ...{ width, height: HEIGHT },
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { range: (_, __, last) => [last - RATES_MILLISECONDS / 1_000, last] },
      y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 32,
        space: 80,
        values: (_, ticks) => ticks.map((tick) => minuteOfDay(tick * 1_000)),
      },
      { ...axis, size: 48, values: (_, ticks) => ticks.map((tick) => rate(tick)) },
    ],
    series: [
      {},
      ...OUTCOMES.map((outcome) => ({
        ...{ label: outcome, stroke: colorOf(`--${outcome}`), width: 2, points: { show: false } },
        ...(outcome === 'served' ? { fill: `${colorOf('--served')}22` } : {}),
      })),
    ],
  };
}
