/** `hatchery domain save` and `hatchery domain restore`, in the files of `xl save`. */
import type { SaveOptions } from '../../xen/libxl.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { type StartOptions, start } from './create.js';
import { findDomain, withLibxl } from './toolstack.js';

export type Leave = NonNullable<SaveOptions['leave']>;

export function saveDomain(
  argument: string,
  file: string,
  { leave }: { readonly leave: Leave },
  terminal: Terminal,
): Promise<number> {
  return withLibxl(async (libxl) => {
    const domid = await findDomain(libxl, argument);
    await libxl.saveDomain(domid, file, { leave });
    terminal.result(`Domain ${argument} (${domid}) is saved in ${file}, and ${leave}.`, {
      domid,
      done: 'save',
      file,
      leave,
    });
    return EXIT_CODES.ok.code;
  });
}

export interface RestoreOptions extends StartOptions {
  readonly name?: string;
}

export function restoreDomain(
  file: string,
  options: RestoreOptions,
  terminal: Terminal,
): Promise<number> {
  return withLibxl(async (libxl) => {
    const named = options.name === undefined ? {} : { name: options.name };
    const domid = await libxl.restoreDomain(file, named);
    const { name = String(domid) } = await libxl.domainInfo(domid);
    terminal.result(`Domain ${domid} is there again: ${name}.`, { event: 'restored', domid, name });
    await start(libxl, domid, name, options, terminal);
    return EXIT_CODES.ok.code;
  });
}
