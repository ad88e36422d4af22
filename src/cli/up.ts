/** `hatchery up`: many functions, an API to deploy and spawn, and what is served survives a restart. */
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { Control } from '../control/control.js';
import { HatcheryError } from '../errors.js';
import { createLogger } from '../logging.js';
import type { Serving } from '../supervisor/serving.js';
import { listenOn, openServing } from './open-serving.js';
import {
  addDriverOptions,
  addLogOption,
  addServerOptions,
  MAX_PORT,
  type ServerOptions,
} from './server-options.js';
import type { Terminal } from './terminal.js';
import { runUntilStopped, type StoppableServer } from './until-stopped.js';
import { collect, wholeNumber } from './values.js';
import { packageVersion } from './version.js';

interface UpOptions extends ServerOptions {
  readonly controlPort: number;
  readonly controlAddress: string;
  readonly controlHost?: readonly string[];
  readonly data?: string;
}

const EXAMPLES = `
Examples:
  hatchery up
  hatchery up --port 80 --host 0.0.0.0 --data /var/lib/hatchery
  hatchery up --control-port 9000 --workers 4
Then, in another terminal:
  hatchery function deploy examples/hello.ts
  curl http://127.0.0.1:8080/hello/`;

export function describeUp(command: Command): Command {
  return addLogOption(addServerOptions(addDriverOptions(command)))
    .description('run as a service: functions are deployed and instances spawned by an API')
    .option(
      '--control-port <number>',
      'where the control API listens; 0 for any free port',
      wholeNumber(0, MAX_PORT),
      8081,
    )
    .option('--control-address <address>', 'where the control API listens', '127.0.0.1')
    .option(
      '--control-host <name>',
      'a host name that the control API is served as, by a proxy say; may be repeated',
      collect,
    )
    .option(
      '--data <folder>',
      "where functions, secrets and tokens are kept (default: hatchery in XDG's data home)",
    )
    .addHelpText('after', EXAMPLES);
}

export async function up(options: UpOptions, terminal: Terminal): Promise<number> {
  return runUntilStopped(new Service(options, terminal), terminal);
}

/** What one run of the command holds open. */
class Service implements StoppableServer {
  readonly #options: UpOptions;
  readonly #terminal: Terminal;
  readonly #logger: Logger;
  #serving: Serving | undefined;
  #control: Control | undefined;
  #hasPage = false;

  constructor(options: UpOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
    this.#logger = createLogger(options.logLevel, terminal.json);
  }

  async start(): Promise<void> {
    const { host, port, controlAddress, controlPort } = this.#options;
    const [{ Control }, { Intake }, { defaultDataFolder }, { workerUser }] = await Promise.all([
      import('../control/control.js'),
      import('../control/intake.js'),
      import('../control/data/data-path.js'),
      import('../supervisor/user.js'),
    ]);
    const intake = new Intake();
    const purpose = { fetches: true, byName: true, report: intake.report, zerg: true };
    const serving = await openServing(this.#options, purpose, this.#terminal, this.#logger);
    this.#serving = serving;
    const control = await Control.open({
      serving,
      intake,
      data: this.#options.data ?? defaultDataFolder(),
      bundlerUser: workerUser(this.#options.workerUser),
      logger: this.#logger,
      version: packageVersion(),
      hosts: [...(this.#options.controlHost ?? []), controlAddress],
    });
    this.#control = control;
    await control.functions.restore();
    await this.#deployPage(serving);
    const front = await listenOn(serving, host, port);
    control.reachedAt(front);
    const api = await listenOn(control, controlAddress, controlPort);
    await this.#announce(front, api, serving, control);
  }

  /** A server whose page cannot be had serves functions all the same. */
  async #deployPage(serving: Serving): Promise<void> {
    const { zergDefinition } = await import('../zerg/definition.js');
    try {
      await serving.deploy(zergDefinition(packageVersion()));
      this.#hasPage = true;
    } catch (error) {
      const known = HatcheryError.from(error);
      this.#logger.error({ err: known }, 'the page /zerg cannot be served');
      this.#terminal.note(`warning: the page /zerg cannot be served: ${known.message}`);
    }
  }

  async #announce(front: string, api: string, serving: Serving, control: Control): Promise<void> {
    const { name: driver, detail } = serving.driver;
    const { workers } = serving;
    const functions = (await control.functions.list()).map(({ name }) => name);
    const { failed } = control.functions;
    const processes =
      workers.length === 0
        ? 'none: this process does everything'
        : `processes ${workers.join(', ')}`;
    const all =
      functions.length === 0 ? 'none yet: hatchery function deploy FILE' : functions.join(', ');
    this.#terminal.result(
      `Functions at ${this.#terminal.style('bold', `${front}/NAME/`)}\n` +
        `${this.#hasPage ? `  page      ${front}/zerg: where the time of a view goes\n` : ''}` +
        `  control   ${api}; the token is in ${control.dataFolder}/token\n` +
        `  driver    ${driver}${detail === undefined ? '' : ` (${detail})`}\n` +
        `  workers   ${processes}\n` +
        `  functions ${all}`,
      {
        event: 'listening',
        ...{
          url: front,
          control: api,
          ...(this.#hasPage ? { page: `${front}/zerg` } : {}),
          data: control.dataFolder,
          driver,
          workers,
          functions,
          failed,
        },
      },
    );
    for (const name of failed) {
      this.#terminal.note(`warning: ${name} could not be started; see hatchery function ls`);
    }
    if (!['127.0.0.1', '::1', 'localhost'].includes(this.#options.controlAddress)) {
      this.#terminal.note(
        'warning: the control API is reached from other machines, and its tokens travel in the ' +
          'clear: put a proxy with TLS in front of it.',
      );
    }
  }

  /** The API first, so that nothing new begins; then what is under way finishes. */
  async close(): Promise<void> {
    await this.#control?.close();
    await this.#serving?.close();
  }
}
