/** Which worker has which spawned instance. */
import { HatcheryError } from '../errors.js';
import type { InstanceReply, InstanceRequest, SpawnedBy, SpawnOrder } from './instance-orders.js';
import type { Observation, Report } from './observations.js';
import type { WorkerProcess } from './worker-process.js';

export class WorkerInstances {
  readonly #report: Report;
  readonly #whose = new Map<string, WorkerProcess>();

  constructor(report: Report) {
    this.#report = report;
  }

  /**
   * The worker with the fewest instances gets it.
   * @throws HatcheryError as `HostedInstances.spawn`, and WORKER_DIED
   */
  async spawn(order: SpawnOrder, workers: Iterable<WorkerProcess>): Promise<SpawnedBy> {
    let least: WorkerProcess | undefined;
    for (const worker of workers) {
      if (least === undefined || this.#countOf(worker) < this.#countOf(least)) {
        least = worker;
      }
    }
    if (least === undefined) {
      throw new HatcheryError('WORKER_DIED');
    }
    this.#whose.set(order.id, least);
    try {
      return await least.spawn(order);
    } catch (error) {
      this.#whose.delete(order.id);
      throw error;
    }
  }

  async request(id: string, request: InstanceRequest): Promise<InstanceReply> {
    return this.#find(id).request(id, request);
  }

  async kill(id: string): Promise<void> {
    await this.#find(id).killInstance(id);
  }

  /** Takes what a worker tells; of instances, only what is of its own. */
  observe(worker: WorkerProcess, told: readonly Observation[], omitted: number): void {
    const believed = told.filter(
      ({ instance }) => instance === undefined || this.#whose.get(instance) === worker,
    );
    for (const { kind, instance } of believed) {
      if (kind === 'ended' && instance !== undefined) {
        this.#whose.delete(instance);
      }
    }
    this.#report(believed, omitted);
  }

  /** A worker is dead, and its instances with it. */
  forget(worker: WorkerProcess): void {
    const lost = [...this.#whose].filter(([, whose]) => whose === worker).map(([id]) => id);
    const at = Date.now();
    const reason = 'its worker process died';
    for (const id of lost) {
      this.#whose.delete(id);
    }
    if (lost.length > 0) {
      this.#report(
        lost.map((instance) => ({ kind: 'ended', at, instance, reason })),
        0,
      );
    }
  }

  #countOf(worker: WorkerProcess): number {
    let count = 0;
    for (const whose of this.#whose.values()) {
      count += whose === worker ? 1 : 0;
    }
    return count;
  }

  #find(id: string): WorkerProcess {
    const worker = this.#whose.get(id);
    if (worker === undefined) {
      throw new HatcheryError('INSTANCE_GONE', { reason: 'it is not here any more' });
    }
    return worker;
  }
}
