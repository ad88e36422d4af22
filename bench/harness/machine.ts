import { readdirSync } from 'node:fs';
import os from 'node:os';

/** Where a figure was measured; figures of different machines are not to be compared. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Which KVM there is: `kvm_intel`, `kvm_amd`, `kvm_pvm`, or undefined. */
  readonly hypervisorModule: string | undefined;
  readonly loadAverage: number;
  readonly date: string;
}

/** Built-in or loaded: both are listed here. */
function kvmModule(): string | undefined {
  return readdirSync('/sys/module').find((name) => /^kvm_\w+$/.test(name));
}

export function describeMachine(): Machine {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    node: process.version,
    hypervisorModule: kvmModule(),
    loadAverage: os.loadavg()[0] ?? 0,
    date: new Date().toISOString(),
  };
}

export function formatMachine(machine: Machine): string {
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    `Linux ${machine.kernel}${machine.hypervisorModule ? ` (${machine.hypervisorModule})` : ''}`,
    `Node ${machine.node}`,
    `load ${machine.loadAverage.toFixed(2)}`,
    machine.date,
  ].join(' · ');
}
