/** The last requests, as they end. */
import { useState } from 'preact/hooks';
import type { ControlEvent } from '../../client/index.js';
import { bytes, duration, timeOfDay } from '../model/formats.js';
import { OUTCOMES, type Outcome } from '../model/outcomes.js';
import { totalOf } from '../model/phases.js';
import { OutcomeMark, Panel, Scrolling } from './parts.js';
import { functionAddress, requestAddress } from './routes.js';
import { useKnown } from './use-live.js';

const SHOWN = 30;

interface RequestsTableProps {
  /** Only of that function. */
  readonly of?: string;
}

export function RequestsTable({ of }: RequestsTableProps) {
  const { requests } = useKnown();
  const [held, setHeld] = useState<readonly ControlEvent[]>();
  const [outcome, setOutcome] = useState('');
  const shown = (held ?? requests)
    .filter((one) => (of === undefined || one.function === of) && one.type.startsWith(outcome))
    .slice(0, SHOWN);
  return (
    <Panel title="Requests" id="requests" wide>
      <div class="choices">
        <label>
          Ended{' '}
          <select value={outcome} onChange={(event) => setOutcome(event.currentTarget.value)}>
            <option value="">in any way</option>
            {OUTCOMES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={held !== undefined}
            onChange={(event) => setHeld(event.currentTarget.checked ? requests : undefined)}
          />{' '}
          hold still
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="quiet">
          None among the last {requests.length} that have ended since this page was opened.
        </p>
      ) : (
        <Scrolling label="Requests">
          <table class="first-stays">
            <thead>
              <tr>
                <th scope="col">Request</th>
                <th scope="col">At</th>
                {of === undefined && <th scope="col">Function</th>}
                <th scope="col">Method</th>
                <th scope="col">Status</th>
                <th scope="col">Ended</th>
                <th scope="col">Total</th>
                <th scope="col">Guest</th>
                <th scope="col">CPU</th>
                <th scope="col">Peak memory</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((request) => (
                <RequestRow key={request.requestId} request={request} isOfAny={of === undefined} />
              ))}
            </tbody>
          </table>
        </Scrolling>
      )}
    </Panel>
  );
}

interface RequestRowProps {
  readonly request: ControlEvent;
  readonly isOfAny: boolean;
}

function RequestRow({ request, isOfAny }: RequestRowProps) {
  const { at, requestId = '', function: name, instance, method, status, type } = request;
  const { timeline = {} } = request;
  const usage = request.usage;
  return (
    <tr>
      <th scope="row">
        <a href={requestAddress(requestId)}>{requestId}</a>
      </th>
      <td>{timeOfDay(at)}</td>
      {isOfAny && (
        <td>
          {name === undefined ? (instance ?? '–') : <a href={functionAddress(name)}>{name}</a>}
        </td>
      )}
      <td>{method}</td>
      <td>{status}</td>
      <td>
        <OutcomeMark outcome={type as Outcome} />
      </td>
      <td>{duration(totalOf(timeline))}</td>
      <td>{duration(timeline.guest)}</td>
      <td>{usage === undefined ? '–' : duration(usage.cpuMicroseconds / 1_000)}</td>
      <td>{bytes(usage?.peakMemoryBytes)}</td>
    </tr>
  );
}
