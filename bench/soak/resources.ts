/** What a server's processes hold, as the kernel counts it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { proportionalMebibytes } from '../harness/memory.js';

export interface Resources {
  readonly processes: number;
  readonly mebibytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Virtual machines of KVM's. */
  readonly machines: number;
}

/** What `read` gives for each; what has gone meanwhile (a thread, a descriptor) is left out. */
function ofThose<Value>(names: readonly string[], read: (name: string) => Value): Value[] {
  return names.flatMap((name) => {
    try {
      return [read(name)];
    } catch {
      return [];
    }
  });
}

/** A process and its descendants. */
function family(processId: number): number[] {
  const tasks = `/proc/${processId}/task`;
  const children = ofThose(readdirSync(tasks), (thread) =>
    readFileSync(`${tasks}/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [processId, ...children.flat().flatMap((child) => family(Number(child)))];
}

function descriptors(processId: number): string[] {
  const folder = `/proc/${processId}/fd`;
  return ofThose(readdirSync(folder), (number) => readlinkSync(`${folder}/${number}`));
}

export function resourcesOf(processId: number): Resources {
  const processes = family(processId);
  const open = processes.flatMap(descriptors);
  const sum = (of: (process: number) => number) =>
    processes.reduce((total, process) => total + of(process), 0);
  return {
    processes: processes.length,
    mebibytes: sum(proportionalMebibytes),
    descriptors: open.length,
    threads: sum((process) => readdirSync(`/proc/${process}/task`).length),
    machines: open.filter((target) => target === 'anon_inode:kvm-vm').length,
  };
}
