/** The machine, and the processes that serve. */
import { bytes, whole } from '../model/formats.js';
import { Panel } from './parts.js';
import { useKnown } from './use-live.js';

export function Host() {
  const { latest } = useKnown().readings;
  if (latest === undefined) {
    return <Panel title="Host, workers and queue" id="host" children={<p class="quiet">…</p>} />;
  }
  const { host, workers, queue, instances } = latest;
  const used = host.totalBytes - host.availableBytes;
  return (
    <Panel title="Host, workers and queue" id="host">
      <dl class="meters">
        <Meter name="Memory used" value={used} limit={host.totalBytes} format={bytes} />
        <Meter
          name="Instances"
          value={instances.running + instances.spawned}
          limit={instances.limit}
          format={whole}
        />
        <Meter name="Queue" value={queue.waiting} limit={queue.limit} format={whole} />
      </dl>
      <p class="quiet">
        {whole(host.processors)} processors. {whole(instances.running)} instances run for a request,{' '}
        {whole(instances.spawned)} live for longer.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">Resident memory</th>
          </tr>
        </thead>
        <tbody>
          {workers.map(({ pid, residentBytes }) => (
            <tr key={pid}>
              <th scope="row">{pid}</th>
              <td>{bytes(residentBytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

interface MeterProps {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly format: (value: number) => string;
}

function Meter({ name, value, limit, format }: MeterProps) {
  const text = `${format(value)} of ${format(limit)}`;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <meter aria-label={name} value={value} max={Math.max(1, limit)} aria-valuetext={text} />{' '}
        {text}
      </dd>
    </div>
  );
}
