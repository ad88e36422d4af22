/** All functions: what each has answered, how fast, and what it uses. */
import type { FunctionFacts, Statistics } from '../../client/index.js';
import { bytes, duration, quantileText, rate, whole } from '../model/formats.js';
import { difference, quantile } from '../model/histogram.js';
import { NONE, OUTCOMES, outcomesBetween, totalOf } from '../model/outcomes.js';
import { Panel, Scrolling } from './parts.js';
import { functionAddress } from './routes.js';
import { useKnown } from './use-live.js';

type FunctionStatistics = Statistics['functions'][number];

export function FunctionsTable() {
  const { functions, readings } = useKnown();
  const { latest, aMinuteAgo } = readings;
  if (functions === undefined || latest === undefined) {
    return <Panel title="Functions" id="functions" wide children={<p class="quiet">…</p>} />;
  }
  const counted = new Map(latest.functions.map((one) => [one.name, one]));
  const before = new Map(aMinuteAgo?.functions.map((one) => [one.name, one]));
  const seconds = aMinuteAgo === undefined ? 1 : (latest.at - aMinuteAgo.at) / 1_000;
  const deployed = new Map(functions.map((one) => [one.name, one]));
  // The server has some of its own, and some have been removed.
  const others = [...counted.keys()].filter((name) => name !== undefined && !deployed.has(name));
  const names = [...deployed.keys(), ...(others as string[])].sort();
  return (
    <Panel title="Functions" id="functions" wide>
      {functions.length === 0 && (
        <p>
          No functions yet: <code>hatchery function deploy examples/hello.ts</code>
        </p>
      )}
      {names.length > 0 && (
        <Scrolling label="Functions">
          <table class="first-stays">
            <thead>
              <tr>
                <th scope="col">Function</th>
                <th scope="col">Requests/s</th>
                {OUTCOMES.map((outcome) => (
                  <th scope="col" key={outcome}>
                    {outcome}
                  </th>
                ))}
                <th scope="col">p50</th>
                <th scope="col">p99</th>
                <th scope="col">CPU/request</th>
                <th scope="col">Peak memory</th>
                <th scope="col">Running</th>
                <th scope="col">Ready</th>
                <th scope="col">Waiting</th>
              </tr>
            </thead>
            <tbody>
              {names.map((name) => (
                <FunctionRow
                  key={name}
                  name={name}
                  facts={deployed.get(name)}
                  now={counted.get(name)}
                  before={before.get(name)}
                  seconds={seconds}
                  bounds={latest.bucketBounds}
                />
              ))}
            </tbody>
          </table>
        </Scrolling>
      )}
    </Panel>
  );
}

interface FunctionRowProps {
  readonly name: string;
  /** `undefined`: it is none that was deployed by somebody. */
  readonly facts: FunctionFacts | undefined;
  readonly now: FunctionStatistics | undefined;
  /** A minute ago, which were `seconds`. */
  readonly before: FunctionStatistics | undefined;
  readonly seconds: number;
  readonly bounds: readonly number[];
}

function FunctionRow({ name, facts, now, before, seconds, bounds }: FunctionRowProps) {
  const outcomes = now?.outcomes ?? NONE;
  const perSecond = totalOf(outcomesBetween(outcomes, before?.outcomes)) / seconds;
  const total = now?.phases.total;
  const recent = total && difference(total, before?.phases.total);
  const at = (part: number) => quantileText(recent && quantile(bounds, recent, part));
  const answered = outcomes.served + outcomes.crashed + outcomes.killed;
  const { cpuMicroseconds = 0, peakMemoryBytes = 0 } = now?.usage ?? {};
  const { running = 0, ready = 0, waiting = 0 } = now?.pool ?? {};
  return (
    <tr data-function={name}>
      <th scope="row">
        {facts === undefined ? name : <a href={functionAddress(name)}>{name}</a>}{' '}
        {facts?.state === 'failed' && <strong class="failed">failed</strong>}
      </th>
      <td>{rate(perSecond)}</td>
      {OUTCOMES.map((outcome) => (
        <td key={outcome}>{whole(outcomes[outcome])}</td>
      ))}
      <td>{at(0.5)}</td>
      <td>{at(0.99)}</td>
      <td>{cpuMicroseconds === 0 ? '–' : duration(cpuMicroseconds / 1_000 / answered)}</td>
      <td>{peakMemoryBytes === 0 ? '–' : bytes(peakMemoryBytes)}</td>
      <td>{whole(running)}</td>
      <td>{whole(ready)}</td>
      <td>{whole(waiting)}</td>
    </tr>
  );
}
