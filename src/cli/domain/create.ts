/** `hatchery domain create`: a domain from a file of xl.cfg(5). */
import { readFileSync } from 'node:fs';
import { findObstacle } from '../../drivers/xen-host.js';
import { HatcheryError } from '../../errors.js';
import { type HostCpus, type ReadConfig, readDomainConfig } from '../../xen/domain-config.js';
import { findFirmware } from '../../xen/firmware.js';
import type { Libxl } from '../../xen/libxl.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { showConsole } from './console.js';
import { startKeeper } from './keep.js';
import { withLibxl } from './toolstack.js';

/** How a domain is started that has been created or restored. */
export interface StartOptions {
  readonly paused?: true;
  readonly console?: true;
  /** False with --no-keep. */
  readonly keep: boolean;
}

export interface CreateOptions extends StartOptions {
  readonly dryRun?: true;
}

export async function createDomain(
  file: string,
  overrides: readonly string[],
  options: CreateOptions,
  terminal: Terminal,
): Promise<number> {
  const text = textOf(file);
  const read = (host: HostCpus | undefined) =>
    readDomainConfig({ text, file, overrides }, { host, findFirmware });
  if (options.dryRun && findObstacle() !== undefined) {
    return printConfig(read(undefined), terminal);
  }
  return withLibxl(async (libxl) => {
    const { config, warnings } = read(await hostCpus(libxl));
    if (options.dryRun) {
      return printConfig({ config, warnings }, terminal);
    }
    noteWarnings(warnings, terminal);
    const domid = await libxl.createDomain(config);
    const { name = '' } = config.c_info;
    terminal.result(`Domain ${domid} is there: ${name}.`, {
      event: 'created',
      domid,
      name,
      uuid: config.c_info.uuid,
      warnings,
    });
    await start(libxl, domid, name, options, terminal);
    return EXIT_CODES.ok.code;
  });
}

/** Lets a paused domain go, with its keeper and its console, where they are wanted. */
export async function start(
  libxl: Libxl,
  domid: number,
  name: string,
  { paused, console: wantsConsole, keep }: StartOptions,
  terminal: Terminal,
): Promise<void> {
  if (keep) {
    startKeeper(domid, name);
  }
  const go = async () => {
    if (!paused) {
      await libxl.unpauseDomain(domid);
    }
  };
  if (wantsConsole) {
    await showConsole(libxl, domid, terminal, go);
  } else {
    await go();
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const problem = `${file} cannot be read: ${(cause as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
  }
}

async function hostCpus(libxl: Libxl): Promise<HostCpus> {
  const { max_cpu_id = 0, nr_nodes = 1 } = await libxl.physicalInfo();
  return { count: max_cpu_id + 1, nodes: nr_nodes };
}

function printConfig({ config, warnings }: ReadConfig, terminal: Terminal): number {
  noteWarnings(warnings, terminal);
  terminal.result(JSON.stringify(config, undefined, 2), { config, warnings });
  return EXIT_CODES.ok.code;
}

function noteWarnings(warnings: ReadConfig['warnings'], terminal: Terminal): void {
  for (const { place, key, text } of warnings) {
    terminal.note(`warning: ${place}: ${key} ${text}`);
  }
}
