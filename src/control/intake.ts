/** Takes what serving tells, and makes events and log lines of it. */

import type { ResponseOf } from '../api/operation.js';
import type { Operations } from '../api/operations.js';
import type { ErrorCode } from '../errors.js';
import type { Observation, Report, RequestOutcome } from '../supervisor/observations.js';
import { type ControlEvent, EventLog } from './events/event-log.js';
import { LogStore } from './logs/log-store.js';

/** Instances of the spawn API, which tell of their ends themselves. */
interface Ends {
  observeEnd(id: string, reason: string): void;
}

export class Intake {
  readonly events = new EventLog();
  readonly logs = new LogStore();
  #instances: Ends | undefined;

  /** From now on the ends of instances are told to these. */
  endsGoTo(instances: Ends): void {
    this.#instances = instances;
  }

  readonly report: Report = (observations, omitted) => {
    for (const observation of observations) {
      this.#take(observation);
    }
    if (omitted > 0) {
      this.events.append({ type: 'omitted', at: Date.now(), count: omitted });
    }
  };

  #take(observation: Observation): void {
    switch (observation.kind) {
      case 'log':
        this.#takeLog(observation);
        return;
      case 'ended':
        if (observation.instance !== undefined) {
          this.#instances?.observeEnd(observation.instance, observation.reason);
        }
        return;
      default:
        this.events.append(eventOf(observation));
    }
  }

  #takeLog(observation: Extract<Observation, { kind: 'log' }>): void {
    const { kind: _, function: name, ...line } = observation;
    const shown = withoutUndefined(line);
    if (name !== undefined) {
      this.logs.append(name, shown);
    }
    if (line.instance !== undefined && line.instance !== name) {
      this.logs.append(line.instance, shown);
    }
  }
}

/** What is known of a request that has ended. */
export function requestFacts(
  id: string,
  outcome: RequestOutcome,
): ResponseOf<Operations['getRequest']> {
  const { type: _, ...facts } = eventOf(outcome);
  const { kind, method, status, timeline } = outcome;
  return { ...facts, requestId: id, outcome: kind, method, status, timeline };
}

/** Instances of images have their id for a function. */
function eventOf(observation: RequestOutcome): ControlEvent {
  const { kind, function: name, instance, at, requestId } = observation;
  const { method, status, timeline, usage } = observation;
  const common = withoutUndefined({
    ...{ type: kind, at, function: name === instance ? undefined : name, instance, requestId },
    ...{ method, status, timeline, usage },
  });
  if (kind === 'served') {
    return common;
  }
  const failed = { ...common, code: observation.code as ErrorCode, reason: observation.message };
  return kind === 'crashed' ? { ...failed, where: observation.where } : failed;
}

type Defined<Given> = { [Key in keyof Given]: Exclude<Given[Key], undefined> };

function withoutUndefined<Given extends object>(given: Given): Defined<Given> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Given>;
}
