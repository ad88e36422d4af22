/** Parks instances and prints, as JSON, what each took: in a process of its own, which then ends. */
import { availableMebibytes, residentMebibytes } from '../harness/memory.js';
import { check, url } from '../requests.js';
import { deploy } from '../subject.js';

export interface Parked {
  /** Of each instance in turn. */
  readonly createMilliseconds: readonly number[];
  /** Growth of this process for each instance. */
  readonly residentMebibytes: number;
  /** Loss of the machine's available memory for each instance: counts what the kernel holds, too. */
  readonly machineMebibytes: number;
}

/** What the first ones bring along for all of them is not counted. */
const FIRST = 10;

async function park(count: number): Promise<Parked> {
  await using subject = await deploy('hello', 'reset');
  const createMilliseconds: number[] = [];
  const instances = [];
  let resident = 0;
  let available = 0;
  for (let number = 0; number < count; number++) {
    if (number === FIRST) {
      resident = residentMebibytes(process.pid);
      available = availableMebibytes();
    }
    const start = performance.now();
    const instance = await subject.fn.spawn();
    createMilliseconds.push(performance.now() - start);
    instances.push(instance);
    const response = await instance.fetch(new Request(url(number)));
    check(number, await response.text(), 'a parked instance');
  }
  return {
    createMilliseconds,
    residentMebibytes: (residentMebibytes(process.pid) - resident) / (count - FIRST),
    machineMebibytes: (available - availableMebibytes()) / (count - FIRST),
  };
}

process.stdout.write(JSON.stringify(await park(Number(process.argv[2]))));
