/** The figures that one looks at first. */
import { bytes, quantileText, rate, whole } from '../model/formats.js';
import { difference, quantile } from '../model/histogram.js';
import { outcomesBetween, totalOf } from '../model/outcomes.js';
import { useKnown } from './use-live.js';

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

export function Headline() {
  const { readings } = useKnown();
  const { latest, aMinuteAgo, rates } = readings;
  if (latest === undefined) {
    return <p class="quiet">Asking the server …</p>;
  }
  const last = rates.at(-1);
  const total = latest.phases.total;
  const recent = total && difference(total, aMinuteAgo?.phases.total);
  const at = (part: number) => quantileText(recent && quantile(latest.bucketBounds, recent, part));
  const { crashed } = outcomesBetween(latest.outcomes, aMinuteAgo?.outcomes);
  const { instances, queue, host } = latest;
  const figures: Figure[] = [
    { name: 'Requests a second', value: rate(last ? totalOf(last) : 0), note: 'now' },
    { name: 'Answered within', value: at(0.5), note: `p50; p99 ${at(0.99)}` },
    {
      name: 'Instances',
      value: whole(instances.running + instances.spawned),
      note: `of ${whole(instances.limit)}; ${whole(instances.spawned)} spawned`,
    },
    { name: 'Waiting', value: whole(queue.waiting), note: `of ${whole(queue.limit)} in the queue` },
    {
      name: 'Crashes',
      value: whole(crashed),
      note: `in the last minute; ${whole(latest.outcomes.crashed)} in all`,
    },
    {
      name: 'Memory left',
      value: bytes(host.availableBytes),
      note: `of ${bytes(host.totalBytes)}`,
    },
  ];
  return (
    <dl class="headline">
      {figures.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <b>{value}</b> <small>{note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
