/** Everything that goes on, at one look. */
import { Crashes } from './crashes.js';
import { FieldOfCells } from './field-of-cells.js';
import { FunctionsTable } from './functions-table.js';
import { Headline } from './headline.js';
import { Host } from './host.js';
import { InstancesTable } from './instances-table.js';
import { PhasesTable } from './phases-table.js';
import { RateChart } from './rate-chart.js';
import { RequestsTable } from './requests-table.js';
import { useKnown } from './use-live.js';

export function Overview() {
  const { readings, crashes } = useKnown();
  const { latest, aMinuteAgo } = readings;
  return (
    <>
      <h1 tabIndex={-1}>Overview</h1>
      <Headline />
      <div class="grid">
        <RateChart />
        <FieldOfCells />
        <PhasesTable
          bounds={latest?.bucketBounds ?? []}
          now={latest?.phases}
          before={aMinuteAgo?.phases}
        />
        <Host />
        <FunctionsTable />
        <Crashes crashes={crashes} />
        <InstancesTable />
        <RequestsTable />
      </div>
    </>
  );
}
