/** What happens in one process that serves: told, remembered for a while, and counted. */
import type { Answered } from '../front/observer.js';
import type { Teller } from '../statistics/teller.js';
import { type Observation, ObservationBuffer, observe, type Report } from './observations.js';
import { RecentRequests } from './recent-requests.js';

export class Chronicle {
  readonly #recent = new RecentRequests();
  readonly #observations: ObservationBuffer;
  #teller: Teller | undefined;

  /** @param report gets what happens, as far as it can be told. */
  constructor(report: Report) {
    this.#observations = new ObservationBuffer(report);
  }

  /** From now on requests are counted. */
  countBy(teller: Teller): void {
    this.#teller = teller;
  }

  /** Something that is no answered request. */
  readonly add = (observation: Observation): void => {
    this.#observations.add(observation);
  };

  /** @param instance the spawned instance that answered */
  readonly answered = (answered: Answered, instance?: string): void => {
    const outcome = observe(answered, instance);
    this.#recent.add(outcome);
    this.#observations.add(outcome);
    this.#teller?.record(outcome.kind, answered);
  };

  get recent(): Pick<RecentRequests, 'get'> {
    return this.#recent;
  }

  /** Tells what has not been told yet. */
  flush(): void {
    this.#observations.flush();
  }
}
