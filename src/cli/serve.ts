/** `hatchery serve FILE`: an HTTP server that answers each request from a virtual machine of its own. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { chooseDriver } from '../drivers/detect.js';
import type { DriverName } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { Admission } from '../fabric/places.js';
import { MAX_CONNECTIONS } from '../front/listening.js';
import { createLogger } from '../logging.js';
import type { DeployedBy, Serving } from '../supervisor/serving.js';
import { EXIT_CODES } from './exit-codes.js';
import { addFunctionOptions, definitionFrom, type FunctionOptions } from './function-options.js';
import { selfTest } from './self-test.js';
import { stopSignal } from './stop-signal.js';
import type { Terminal } from './terminal.js';
import { collect, wholeNumber } from './values.js';
import { SourceWatcher } from './watch.js';

interface ServeOptions extends FunctionOptions {
  readonly host: string;
  readonly port: number;
  readonly workers?: number;
  readonly workerUser?: string;
  readonly concurrency?: number;
  readonly queue?: number;
  readonly queueMs?: number;
  readonly trustProxy?: readonly string[];
  readonly maxConnections: number;
  readonly watch?: true;
  readonly selfTest: number;
}

const MAX_PORT = 65_535;
const MAX_SELF_TEST = 1_000_000;
const MAX_WORKERS = 1024;
const MAX_QUEUE_MILLISECONDS = 3_600_000;
const MAX_REQUESTS = 1_000_000;
const MOST_CONNECTIONS = 1_000_000;
/** What workers need. */
const PROCESS_ADDON = 'hatchery_process';

const EXAMPLES = `
Examples:
  hatchery serve examples/hello.ts
  hatchery serve app.ts --port 3000 --watch
  hatchery serve app.ts --memory 128MiB --wall-ms 2000 --env GREETING=hello --env-file .env
  hatchery serve app.ts --strategy clone --json --log-level warn
  hatchery serve app.ts --workers 4 --worker-user hatchery --concurrency 64 --queue 256
  hatchery serve app.ts --trust-proxy 10.0.0.0/8 --trust-proxy ::1`;

/**
 * Guests of one worker run on threads besides the one that does HTTP, so a worker keeps two
 * processors busy; and each one costs memory.
 */
function defaultWorkers(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2));
}

export function describeServe(command: Command): Command {
  return addFunctionOptions(command)
    .description('serve a function by HTTP: every request gets its own virtual machine')
    .option(
      '--port <number>',
      'where to listen; 0 for any free port',
      wholeNumber(0, MAX_PORT),
      8080,
    )
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option(
      '--workers <number>',
      'worker processes; 0: none, everything in one process, without their wall (default: one ' +
        'for each two processors; always 0 with the driver xen)',
      wholeNumber(0, MAX_WORKERS),
    )
    .option(
      '--worker-user <user>',
      'name or number of the user that workers become where this is started as root (default: ' +
        'hatchery if there is one, else nobody)',
    )
    .option(
      '--concurrency <number>',
      'instances at a time (default: from processors and memory)',
      wholeNumber(1, MAX_REQUESTS),
    )
    .option(
      '--queue <number>',
      'requests that may wait for an instance; more get 503 at once (default: 1024)',
      wholeNumber(0, MAX_REQUESTS),
    )
    .option(
      '--queue-ms <milliseconds>',
      'how long one may wait (default: 2000)',
      wholeNumber(1, MAX_QUEUE_MILLISECONDS),
    )
    .option(
      '--trust-proxy <address>',
      'an address or a block (10.0.0.0/8) of proxies whose X-Forwarded-* are believed; may be ' +
        'repeated',
      collect,
    )
    .option(
      '--max-connections <number>',
      'connections at a time; more are closed at once',
      wholeNumber(1, MOST_CONNECTIONS),
      MAX_CONNECTIONS,
    )
    .option('--watch', 'deploy the function again whenever one of its files is saved')
    .option(
      '--self-test <count>',
      'requests to send to itself at the start, to tell how long one takes',
      wholeNumber(0, MAX_SELF_TEST),
      0,
    )
    .addHelpText('after', EXAMPLES);
}

export async function serve(
  file: string,
  options: ServeOptions,
  terminal: Terminal,
): Promise<number> {
  const stopped = stopSignal();
  const server = new Server(file, options, terminal);
  try {
    const starting = server.start();
    stopped.then(() => server.abandon());
    await Promise.race([starting, stopped]);
    await stopped;
    // In the middle of its start it may yet open something, which is to be closed.
    await starting.catch(() => {});
  } finally {
    await server.close();
  }
  terminal.result('Stopped.', { event: 'stopped' });
  return EXIT_CODES.ok.code;
}

/** What one run of the command holds open. */
class Server {
  readonly #file: string;
  readonly #options: ServeOptions;
  readonly #terminal: Terminal;
  readonly #logger: Logger;
  #serving: Serving | undefined;
  #watcher: SourceWatcher | undefined;
  #abandoned = false;

  constructor(file: string, options: ServeOptions, terminal: Terminal) {
    this.#file = file;
    this.#options = options;
    this.#terminal = terminal;
    this.#logger = createLogger(options.logLevel, terminal.json);
  }

  async start(): Promise<void> {
    const { host, port, selfTest: requests } = this.#options;
    const definition = definitionFrom(this.#file, this.#options);
    const serving = await this.#open();
    this.#serving = serving;
    const fn = await serving.deploy(definition);
    if (this.#abandoned) {
      return;
    }
    const url = await listen(serving, host, port);
    if (this.#options.watch) {
      this.#watcher = new SourceWatcher(this.#inputs(fn), () => this.#redeploy(serving));
    }
    this.#announce(url, serving, fn);
    if (requests > 0) {
      await this.#testItself(url, requests);
    }
  }

  async #open(): Promise<Serving> {
    const { xenType, workerUser, trustProxy = [], maxConnections } = this.#options;
    const driver = chooseDriver(this.#options.driver);
    const workers = this.#workers(driver);
    const fetches = this.#options.allowFetch !== undefined;
    const logger = this.#logger;
    const common = {
      ...{ driver, xenType, logger, admission: this.#admission(), trustProxy, maxConnections },
    };
    if (workers === 0) {
      this.#warnOfOneProcess(driver);
      const { OneProcess } = await import('../supervisor/one-process.js');
      return OneProcess.open(common);
    }
    const { Supervised } = await import('../supervisor/supervised.js');
    const log = { level: this.#options.logLevel, json: this.#terminal.json };
    try {
      return await Supervised.open({ ...common, workers, workerUser, fetches, log });
    } catch (error) {
      if (error instanceof HatcheryError && error.details.name === PROCESS_ADDON) {
        this.#terminal.note(`Without ${PROCESS_ADDON}, only --workers 0 works, in one process.`);
      }
      throw error;
    }
  }

  #warnOfOneProcess(driver: DriverName): void {
    if (driver === 'xen') {
      this.#logger.warn(
        'with the driver xen everything runs in one process, as root: no wall is around it but the ' +
          'domains’, for nothing walls in who controls Xen',
      );
      return;
    }
    this.#terminal.note(
      'warning: with --workers 0 everything runs in one process: no wall is around it but the ' +
        'virtual machines’.',
    );
  }

  /**
   * Whoever may call Xen may map the memory of all domains, Dom0's too, so that the walls around a
   * worker would be none. (Xen can restrict the devices to one domain, but not to those to come.)
   * @throws HatcheryError INVALID_ARGUMENT
   */
  #workers(driver: DriverName): number {
    const asked = this.#options.workers;
    if (driver !== 'xen') {
      return asked ?? defaultWorkers();
    }
    if (asked !== undefined && asked > 0) {
      throw new HatcheryError('INVALID_ARGUMENT', {
        problem:
          `--workers ${asked} cannot be had with the driver xen, which serves from one process; ` +
          'leave it away',
      });
    }
    return 0;
  }

  #admission(): Partial<Admission> {
    const { concurrency, queue, queueMs } = this.#options;
    return {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(queue === undefined ? {} : { queue }),
      ...(queueMs === undefined ? {} : { queueMilliseconds: queueMs }),
    };
  }

  #announce(url: string, serving: Serving, fn: DeployedBy): void {
    const { name: driver, detail } = serving.driver;
    const found = detail === undefined ? '' : ` (${detail})`;
    const { workers } = serving;
    const { strategy } = fn;
    const why = {
      driver: `${this.#options.driver === 'auto' ? 'the first that works here' : 'asked for'}${found}`,
      strategy: this.#options.strategy === undefined ? `what ${driver} does fastest` : 'asked for',
    };
    const processes =
      workers.length === 0
        ? 'none: this process does everything'
        : `processes ${workers.join(', ')}`;
    this.#terminal.result(
      `Serving ${fn.name} at ${this.#terminal.style('bold', url)}\n` +
        `  driver    ${driver}: ${why.driver}\n` +
        `  strategy  ${strategy}: ${why.strategy}\n` +
        `  workers   ${processes}`,
      { event: 'listening', url, function: fn.name, driver, strategy, workers, why },
    );
    if (this.#options.watch) {
      this.#terminal.note('  watching  its files: saving one deploys it again');
    }
  }

  async #testItself(url: string, requests: number): Promise<void> {
    const { p50, p99, failed } = await selfTest(url, requests);
    const failures = failed > 0 ? `; ${failed} failed: see the log` : '';
    this.#terminal.result(
      `  self-test ${requests} requests through HTTP: ` +
        `p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms${failures}`,
      { event: 'self-test', requests, p50, p99, failed },
    );
  }

  /** What fails is said, and the version before it goes on answering. */
  async #redeploy(serving: Serving): Promise<readonly string[] | undefined> {
    const start = performance.now();
    try {
      const fn = await serving.deploy(definitionFrom(this.#file, this.#options));
      const milliseconds = performance.now() - start;
      this.#terminal.result(`Deployed ${fn.name} again in ${milliseconds.toFixed(0)} ms`, {
        event: 'redeployed',
        function: fn.name,
        milliseconds,
      });
      return this.#inputs(fn);
    } catch (error) {
      this.#terminal.error(HatcheryError.from(error));
      this.#terminal.note('The version before it goes on answering.');
      return undefined;
    }
  }

  #inputs(fn: DeployedBy): readonly string[] {
    const { image } = definitionFrom(this.#file, this.#options);
    const { envFile } = this.#options;
    const files = image === undefined ? fn.inputs : [image];
    return envFile === undefined ? files : [...files, envFile];
  }

  /** Keeps a start that is under way from listening. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Lets what is under way finish. */
  async close(): Promise<void> {
    await this.#watcher?.close();
    await this.#serving?.close();
  }
}

async function listen(serving: Serving, host: string, port: number): Promise<string> {
  try {
    return await serving.listen(host, port);
  } catch (error) {
    if (error instanceof HatcheryError || (error as NodeJS.ErrnoException).code === undefined) {
      throw error;
    }
    const problem = `${host}, port ${port}, cannot be listened on: ${(error as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause: error });
  }
}
