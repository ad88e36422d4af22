/** One function: what it is, how it does, what it says; and a form to try it. */
import type { FunctionFacts } from '../../client/index.js';
import { Crashes } from './crashes.js';
import { Facts } from './function-facts.js';
import { LogView } from './log-view.js';
import { PhasesTable } from './phases-table.js';
import { RequestsTable } from './requests-table.js';
import { OVERVIEW } from './routes.js';
import { TryIt } from './try-it.js';
import { useKnown, useMay } from './use-live.js';
import { Versions } from './versions.js';

export function FunctionPage({ name }: { readonly name: string }) {
  const { functions } = useKnown();
  const facts = functions?.find((one) => one.name === name);
  return (
    <>
      <h1 tabIndex={-1}>{name}</h1>
      {functions === undefined && <p class="quiet">Asking the server …</p>}
      {functions !== undefined && facts === undefined && (
        <p role="alert">
          There is no function of that name. <a href={OVERVIEW}>To the overview</a>
        </p>
      )}
      {facts !== undefined && <OfFunction facts={facts} />}
    </>
  );
}

function OfFunction({ facts }: { readonly facts: FunctionFacts }) {
  const { name, problem } = facts;
  const { crashes, readings } = useKnown();
  const { latest, aMinuteAgo } = readings;
  const mayTry = useMay('spawn');
  const counted = latest?.functions.find((one) => one.name === name);
  const before = aMinuteAgo?.functions.find((one) => one.name === name);
  return (
    <>
      {problem !== undefined && <p role="alert">It does not answer: {problem}</p>}
      <div class="grid">
        <Facts facts={facts} pool={counted?.pool} />
        <Versions facts={facts} />
        {mayTry && <TryIt name={name} />}
        <LogView name={name} />
        <PhasesTable
          bounds={latest?.bucketBounds ?? []}
          now={counted?.phases}
          before={before?.phases}
        />
        <Crashes crashes={crashes.filter((one) => one.function === name)} wide={false} />
        <RequestsTable of={name} />
      </div>
    </>
  );
}
