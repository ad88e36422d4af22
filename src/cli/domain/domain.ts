/** `hatchery domain …`: domains of Xen, as `xl` has them. */
import { type Command, Option } from 'commander';
import type { Terminal } from '../terminal.js';
import { wholeNumber } from '../values.js';
import { ACTIONS, type ActionName, type ShutdownOptions } from './actions.js';
import type { CreateOptions } from './create.js';
import type { Leave, RestoreOptions } from './save.js';
import type { TopOptions } from './top.js';

const EXAMPLES = `
DOMAIN is a domain's number, name or UUID. All of these need Xen, and to be root in its Dom0.

Examples:
  hatchery domain create web.cfg --console
  hatchery domain create web.cfg name=web2 memory=512 'cpus="0-3"; vif=["bridge=br0"]'
  hatchery domain ls --json
  hatchery domain console web
  hatchery domain shutdown web --wait
  hatchery domain save web /var/lib/xen/save/web`;

const MAX_SECONDS = 86_400;
const MAX_TABLES = 1_000_000;

/** Makes a command of the noun, with what every command has. */
export type AddCommand = (name: string) => Command;

/**
 * @param add adds a command under `domain`
 * @param settle gets the exit code of the command that ran
 */
export function describeDomain(
  domain: Command,
  add: AddCommand,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  domain
    .description('make and manage domains of Xen from files of xl.cfg')
    .addHelpText('after', EXAMPLES);
  describeCreate(add('create'), terminal, settle);
  add('ls')
    .description('list the domains')
    .action(async () => settle(await (await import('./list.js')).listDomains(terminal)));
  add('info <domain>')
    .description('tell all about a domain')
    .action(async (name) => settle(await (await import('./list.js')).showDomain(name, terminal)));
  add('console <domain>')
    .description("a guest's console on this terminal; Ctrl-] leaves it")
    .action(async (name) =>
      settle(await (await import('./console.js')).attachConsole(name, terminal)),
    );
  describeActions(add, terminal, settle);
  describeSaving(add, terminal, settle);
  describeWatching(add, terminal, settle);
}

function addStartOptions(command: Command): Command {
  return command
    .option('--paused', 'leave it paused; unpause starts it')
    .option('--console', 'show its console from its first line on; Ctrl-] leaves it')
    .option('--no-keep', 'leave no process behind that does what on_reboot and its like say');
}

function describeCreate(
  command: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  addStartOptions(command)
    .description('make a domain from a file of xl.cfg(5)')
    .argument('<file>', 'the file')
    .argument('[settings...]', 'key=value, wins over the file; several with ; between them')
    .option('--dry-run', 'print the configuration for libxl, and make nothing')
    .action(async (file: string, settings: string[], options: CreateOptions) => {
      const { createDomain } = await import('./create.js');
      settle(await createDomain(file, settings, options, terminal));
    });
}

function describeActions(
  add: AddCommand,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  for (const name of Object.keys(ACTIONS) as ActionName[]) {
    add(`${name} <domain>`)
      .description(ACTIONS[name].description)
      .action(async (domain: string) =>
        settle(await (await import('./actions.js')).act(name, domain, terminal)),
      );
  }
  add('shutdown <domain>')
    .description('ask a guest to power off')
    .option('--wait', 'until it has')
    .option('--timeout <seconds>', 'how long to wait', wholeNumber(1, MAX_SECONDS), 60)
    .action(async (domain: string, options: ShutdownOptions) =>
      settle(await (await import('./actions.js')).shutDown(domain, options, terminal)),
    );
  add('rename <domain> <name>')
    .description('give a domain another name')
    .action(async (domain: string, name: string) =>
      settle(await (await import('./actions.js')).rename(domain, name, terminal)),
    );
}

function describeSaving(add: AddCommand, terminal: Terminal, settle: (code: number) => void): void {
  add('save <domain> <file>')
    .description('save a domain to a file, as xl save does')
    .addOption(
      new Option('--leave <state>', 'what becomes of it')
        .choices(['destroyed', 'paused', 'running'])
        .default('destroyed'),
    )
    .action(async (domain: string, file: string, options: { leave: Leave }) =>
      settle(await (await import('./save.js')).saveDomain(domain, file, options, terminal)),
    );
  addStartOptions(add('restore <file>'))
    .description('make a domain of a saved one')
    .option('--name <name>', 'another name than the saved one had')
    .action(async (file: string, options: RestoreOptions) =>
      settle(await (await import('./save.js')).restoreDomain(file, options, terminal)),
    );
}

function describeWatching(
  add: AddCommand,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  add('top')
    .description('what the domains use, again and again')
    .option('--interval <seconds>', 'time between two tables', wholeNumber(1, MAX_SECONDS), 1)
    .option(
      '--count <number>',
      'how many tables (default: until it is stopped)',
      wholeNumber(1, MAX_TABLES),
    )
    .action(async (options: TopOptions) =>
      settle(await (await import('./top.js')).top(options, terminal)),
    );
  add('keep <domain>')
    .description('stay with a domain, and do what its on_reboot and its like say')
    .action(async (name: string) => settle(await (await import('./keep.js')).keep(name, terminal)));
}
