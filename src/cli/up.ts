/** `hatchery up`: many functions, an API to deploy and spawn, and what is served survives a restart. */
import { type Command, Option } from 'commander';
import type { Logger } from 'pino';
import type { Control } from '../control/control.js';
import { UPLOAD_LIMITS } from '../control/uploads/upload-limits.js';
import { HatcheryError } from '../errors.js';
import { createLogger } from '../logging.js';
import type { Serving } from '../supervisor/serving.js';
import type { SpanExporter } from '../tracing/span-exporter.js';
import { addSelfTestOption, testItself } from './announcing.js';
import { GivenFile } from './given-file.js';
import { listenOn, openServing } from './open-serving.js';
import { openTracing } from './open-tracing.js';
import {
  addDriverOptions,
  addLogOption,
  addServerOptions,
  MAX_PORT,
  type ServerOptions,
} from './server-options.js';
import type { Terminal } from './terminal.js';
import { runUntilStopped, type StoppableServer } from './until-stopped.js';
import { announce } from './up-announcement.js';
import { collect, parseBytes, wholeNumber } from './values.js';
import { packageVersion } from './version.js';

export interface UpOptions extends ServerOptions {
  readonly controlPort: number;
  readonly controlAddress: string;
  readonly controlHost?: readonly string[];
  readonly data?: string;
  readonly deploy?: string;
  readonly maxImage: number;
  readonly maxImages: number;
  readonly selfTest: number;
}

const EXAMPLES = `
Examples:
  hatchery up
  hatchery up --port 80 --host 0.0.0.0 --data /var/lib/hatchery
  hatchery up --control-port 9000 --workers 4
  hatchery up --deploy examples/hello.ts --self-test 200
Then, in another terminal:
  hatchery function deploy examples/hello.ts
  curl http://127.0.0.1:8080/hello/
  hatchery dashboard`;

export function describeUp(command: Command): Command {
  return addSelfTestOption(addLogOption(addServerOptions(addDriverOptions(command))))
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
    .addOption(
      new Option('--max-image <size>', 'the largest image that may be sent')
        .argParser(parseBytes)
        .default(UPLOAD_LIMITS.imageBytes, '256MiB'),
    )
    .addOption(
      new Option('--max-images <size>', 'all images together that were sent and are kept')
        .argParser(parseBytes)
        .default(UPLOAD_LIMITS.totalBytes, '4GiB'),
    )
    .option(
      '--deploy <file>',
      'a file to deploy at the start, where it is not what answers already; its function also ' +
        'answers the path /',
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
  #tracing: SpanExporter | undefined;

  constructor(options: UpOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
    this.#logger = createLogger(options.logLevel, terminal.json);
  }

  async start(): Promise<void> {
    const { host, port, controlAddress, controlPort, deploy, selfTest: requests } = this.#options;
    if (requests > 0 && deploy === undefined) {
      throw new HatcheryError('INVALID_ARGUMENT', { problem: '--self-test needs --deploy' });
    }
    const given = deploy === undefined ? undefined : new GivenFile(deploy, this.#terminal);
    const { serving, control } = await this.#open(given?.name);
    // What workers do takes this process no time.
    const [hasPage] = await Promise.all([
      this.#deployAll(serving, control, given),
      control.ready(),
    ]);
    const front = await listenOn(serving, host, port);
    control.reachedAt(front);
    const api = await listenOn(control, controlAddress, controlPort);
    await announce({ front, api, hasPage, serving, control, given }, this.#options, this.#terminal);
    if (requests > 0) {
      await testItself(front, requests, this.#terminal);
    }
  }

  /**
   * Loads the control side while workers start.
   * @param rootFunction answers the path `/`.
   */
  async #open(
    rootFunction: string | undefined,
  ): Promise<{ readonly serving: Serving; readonly control: Control }> {
    const { Intake } = await import('../control/intake.js');
    const intake = new Intake();
    this.#tracing = await openTracing(this.#logger);
    const purpose = {
      ...{ fetches: true, byName: true, rootFunction, zerg: true },
      ...{ report: intake.report, tracing: this.#tracing },
    };
    const opening = openServing(this.#options, purpose, this.#terminal, this.#logger);
    const loading = Promise.all([
      import('../control/control.js'),
      import('../data-path.js'),
      import('../supervisor/user.js'),
    ]);
    const serving = await opening;
    this.#serving = serving;
    const [{ Control }, { defaultDataFolder }, { workerUser }] = await loading;
    const control = await Control.open({
      serving,
      intake,
      data: this.#options.data ?? defaultDataFolder(),
      bundlerUser: workerUser(this.#options.workerUser),
      logger: this.#logger,
      version: packageVersion(),
      uploads: { imageBytes: this.#options.maxImage, totalBytes: this.#options.maxImages },
      hosts: [...(this.#options.controlHost ?? []), this.#options.controlAddress],
    });
    this.#control = control;
    return { serving, control };
  }

  /** @returns whether the page is among what was deployed. */
  async #deployAll(
    serving: Serving,
    control: Control,
    given: GivenFile | undefined,
  ): Promise<boolean> {
    await control.functions.restore();
    const hasPage = await this.#deployPage(serving);
    await given?.deploy(control);
    return hasPage;
  }

  /** A server whose page cannot be had serves functions all the same. @returns whether it has it. */
  async #deployPage(serving: Serving): Promise<boolean> {
    const { zergDefinition } = await import('../zerg/definition.js');
    try {
      await serving.deploy(zergDefinition(packageVersion()));
      return true;
    } catch (error) {
      const known = HatcheryError.from(error);
      this.#logger.error({ err: known }, 'the page /zerg cannot be served');
      this.#terminal.note(`warning: the page /zerg cannot be served: ${known.message}`);
      return false;
    }
  }

  /** The API first, so that nothing new begins; then what is under way finishes. */
  async close(): Promise<void> {
    await this.#control?.close();
    await this.#serving?.close();
    await this.#tracing?.close();
  }
}
