/** One request: how it ended, where its time went, what it used. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, type RequestFacts } from '../../client/index.js';
import { duration, timeOfDay } from '../model/formats.js';
import { totalOf } from '../model/phases.js';
import { Fact, OutcomeMark, Panel, problemOf, Timeline } from './parts.js';
import { functionAddress } from './routes.js';
import { UsageList } from './usage-list.js';
import { useLive } from './use-live.js';

export function RequestPage({ id }: { readonly id: string }) {
  const live = useLive();
  const [facts, setFacts] = useState<RequestFacts>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    live.client.request(id).then(setFacts, (error: unknown) => {
      const isUnknown = error instanceof ApiError && error.code === 'REQUEST_UNKNOWN';
      setProblem(
        isUnknown
          ? 'It is not known, or not any more: each process keeps its last 4,096 requests.'
          : problemOf(error),
      );
    });
  }, [live, id]);
  return (
    <>
      <h1 tabIndex={-1}>Request {id}</h1>
      {problem !== '' && <p role="alert">{problem}</p>}
      {facts !== undefined && <Facts facts={facts} />}
    </>
  );
}

function Facts({ facts }: { readonly facts: RequestFacts }) {
  const { outcome, at, function: name, instance, method, status } = facts;
  const { code, reason, where, timeline } = facts;
  const usage = facts.usage;
  return (
    <div class="grid">
      <Panel title="How it ended" id="ended">
        <dl class="facts">
          <Fact name="Outcome">
            <OutcomeMark outcome={outcome} />
          </Fact>
          <Fact name="At">{timeOfDay(at)}</Fact>
          <Fact name="Function">
            {name === undefined ? '–' : <a href={functionAddress(name)}>{name}</a>}
          </Fact>
          {instance !== undefined && <Fact name="Instance">{instance}</Fact>}
          <Fact name="Method">{method}</Fact>
          <Fact name="Status">{status}</Fact>
          {code !== undefined && <Fact name="Error">{code}</Fact>}
        </dl>
        {reason !== undefined && <p>{reason}</p>}
        {where !== undefined && <pre class="trace">{where}</pre>}
      </Panel>
      <Panel title={`Where its time went: ${duration(totalOf(timeline))}`} id="time">
        <Timeline timeline={timeline} />
      </Panel>
      {usage !== undefined && (
        <Panel title="What it used" id="usage">
          <UsageList usage={usage} />
        </Panel>
      )}
    </div>
  );
}
