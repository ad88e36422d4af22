/** Parks instances and prints, as JSON, what each took: in a process of its own, which then ends. */
import type { DeployedFunction, Instance } from '../../src/index.js';
import { availableMebibytes, proportionalMebibytes } from '../harness/memory.js';
import { check, url } from '../requests.js';
import { deploy } from '../subject.js';

export interface Parked {
  /** The first time in this process: memory comes as the machine has it. */
  readonly first: Turn;
  /** Each with the memory that the one before has given back. */
  readonly rounds: readonly Turn[];
  /** Growth of this process's proportional set size for each instance of the first turn. */
  readonly proportionalMebibytes: number;
  /** Loss of the machine's available memory for each: counts what the kernel holds, too. */
  readonly machineMebibytes: number;
}

/** A few instances, killed again, then many. Milliseconds that each took, in turn. */
export interface Turn {
  readonly few: readonly number[];
  readonly many: readonly number[];
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

/** @param onParked is called while the many are parked. */
async function takeTurn(fn: DeployedFunction, count: number, onParked = () => {}): Promise<Turn> {
  const few = await park(fn, FEW);
  await killAll(few.instances);
  const many = await park(fn, count);
  onParked();
  await killAll(many.instances);
  return { few: few.milliseconds, many: many.milliseconds };
}

async function killAll(instances: readonly Instance[]): Promise<void> {
  await Promise.all(instances.map((instance) => instance.kill()));
}

async function measure(count: number): Promise<Parked> {
  await using subject = await deploy('hello', 'reset');
  // So that code is compiled, and the function's snapshot knows what its instances write.
  await killAll((await park(subject.fn, FEW)).instances);
  const proportional = proportionalMebibytes(process.pid);
  const available = availableMebibytes();
  const costs = { proportionalMebibytes: 0, machineMebibytes: 0 };
  const first = await takeTurn(subject.fn, count, () => {
    costs.proportionalMebibytes = (proportionalMebibytes(process.pid) - proportional) / count;
    costs.machineMebibytes = (available - availableMebibytes()) / count;
  });
  const rounds: Turn[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await takeTurn(subject.fn, count));
  }
  return { first, rounds, ...costs };
}

process.stdout.write(JSON.stringify(await measure(Number(process.argv[2]))));
