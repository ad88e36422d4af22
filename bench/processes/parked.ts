/** Parks instances and prints, as JSON, what each took: in a process of its own, which then ends. */
import type { DeployedFunction, Instance } from '../../src/index.js';
import { availableMebibytes, proportionalMebibytes } from '../harness/memory.js';
import { check, url } from '../requests.js';
import { deploy } from '../subject.js';

export interface Parked {
  /** Of instances with at most 19 others there: several rounds of them, in milliseconds. */
  readonly createFew: readonly number[];
  /** Of all that were parked at last, in turn, in milliseconds. */
  readonly createMany: readonly number[];
  /** Growth of this process's proportional set size for each instance. */
  readonly proportionalMebibytes: number;
  /** Loss of the machine's available memory for each instance: counts what the kernel holds, too. */
  readonly machineMebibytes: number;
}

const FEW = 20;
const ROUNDS = 5;

/** Creates instances that stay, and has each answer a request. */
async function park(fn: DeployedFunction, count: number) {
  const milliseconds: number[] = [];
  const instances: Instance[] = [];
  for (let number = 0; number < count; number++) {
    const start = performance.now();
    const instance = await fn.spawn();
    milliseconds.push(performance.now() - start);
    instances.push(instance);
    const response = await instance.fetch(url(number));
    check(number, await response.text(), 'a parked instance');
  }
  return { milliseconds, instances };
}

async function measure(count: number): Promise<Parked> {
  await using subject = await deploy('hello', 'reset');
  const createFew: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const { milliseconds, instances } = await park(subject.fn, FEW);
    if (round >= 0) createFew.push(...milliseconds);
    await Promise.all(instances.map((instance) => instance.kill()));
  }
  const proportional = proportionalMebibytes(process.pid);
  const available = availableMebibytes();
  const { milliseconds, instances } = await park(subject.fn, count);
  const result: Parked = {
    createFew,
    createMany: milliseconds,
    proportionalMebibytes: (proportionalMebibytes(process.pid) - proportional) / count,
    machineMebibytes: (available - availableMebibytes()) / count,
  };
  await Promise.all(instances.map((instance) => instance.kill()));
  return result;
}

process.stdout.write(JSON.stringify(await measure(Number(process.argv[2]))));
