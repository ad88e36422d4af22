/** `hatchery serve FILE`: an HTTP server that answers each request from a virtual machine of its own. */
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { detectDrivers } from '../drivers/detect.js';
import { type DeployedFunction, Fabric, type Front, HatcheryError, startFront } from '../index.js';
import { EXIT_CODES } from './exit-codes.js';
import { addFunctionOptions, definitionFrom, type FunctionOptions } from './function-options.js';
import { createLogger } from './logger.js';
import { selfTest } from './self-test.js';
import { stopSignal } from './stop-signal.js';
import type { Terminal } from './terminal.js';
import { wholeNumber } from './values.js';
import { SourceWatcher } from './watch.js';

interface ServeOptions extends FunctionOptions {
  readonly host: string;
  readonly port: number;
  readonly watch?: true;
  readonly selfTest: number;
}

const MAX_PORT = 65_535;
const MAX_SELF_TEST = 1_000_000;

const EXAMPLES = `
Examples:
  hatchery serve examples/hello.ts
  hatchery serve app.ts --port 3000 --watch
  hatchery serve app.ts --memory 128MiB --wall-ms 2000 --env GREETING=hello --env-file .env
  hatchery serve app.ts --strategy clone --json --log-level warn`;

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
  #fabric: Fabric | undefined;
  #front: Front | undefined;
  #watcher: SourceWatcher | undefined;
  #abandoned = false;

  constructor(file: string, options: ServeOptions, terminal: Terminal) {
    this.#file = file;
    this.#options = options;
    this.#terminal = terminal;
    this.#logger = createLogger(options.logLevel, terminal.json);
  }

  async start(): Promise<void> {
    const { driver, selfTest: requests } = this.#options;
    const definition = definitionFrom(this.#file, this.#options);
    const fabric = await Fabric.open({ driver, logger: this.#logger });
    this.#fabric = fabric;
    const fn = await fabric.deploy(definition);
    if (this.#abandoned) {
      return;
    }
    const front = await this.#listen(fabric, fn);
    this.#front = front;
    if (this.#options.watch) {
      this.#watcher = new SourceWatcher(this.#inputs(fn), () => this.#redeploy(fabric));
    }
    this.#announce(front, fabric, fn);
    if (requests > 0) {
      await this.#testItself(front, requests);
    }
  }

  async #listen(fabric: Fabric, fn: DeployedFunction): Promise<Front> {
    const { host, port } = this.#options;
    try {
      return await startFront(fabric, { functionName: fn.name, host, port, logger: this.#logger });
    } catch (error) {
      if (error instanceof HatcheryError || (error as NodeJS.ErrnoException).code === undefined) {
        throw error;
      }
      const problem = `${host}, port ${port}, cannot be listened on: ${(error as Error).message}`;
      throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause: error });
    }
  }

  #announce(front: Front, fabric: Fabric, fn: DeployedFunction): void {
    const driver = fabric.driver.name;
    const why = { driver: this.#whyDriver(fabric), strategy: this.#whyStrategy(fabric) };
    const url = this.#terminal.style('bold', front.url);
    this.#terminal.result(
      `Serving ${fn.name} at ${url}\n` +
        `  driver    ${driver}: ${why.driver}\n` +
        `  strategy  ${fn.strategy}: ${why.strategy}`,
      { event: 'listening', url: front.url, function: fn.name, driver, strategy: fn.strategy, why },
    );
    if (this.#options.watch) {
      this.#terminal.note('  watching  its files: saving one deploys it again');
    }
  }

  #whyDriver(fabric: Fabric): string {
    const { name } = fabric.driver;
    const found = detectDrivers().find((driver) => driver.name === name)?.availability;
    const detail = found?.available ? ` (${found.detail})` : '';
    return this.#options.driver === 'auto'
      ? `the first that works here${detail}`
      : `asked for${detail}`;
  }

  #whyStrategy(fabric: Fabric): string {
    return this.#options.strategy === undefined
      ? `what ${fabric.driver.name} does fastest`
      : 'asked for';
  }

  async #testItself(front: Front, requests: number): Promise<void> {
    const { p50, p99, failed } = await selfTest(front.url, requests);
    const failures = failed > 0 ? `; ${failed} failed: see the log` : '';
    this.#terminal.result(
      `  self-test ${requests} requests through HTTP: ` +
        `p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms${failures}`,
      { event: 'self-test', requests, p50, p99, failed },
    );
  }

  /** What fails is said, and the version before it goes on answering. */
  async #redeploy(fabric: Fabric): Promise<readonly string[] | undefined> {
    const start = performance.now();
    try {
      const fn = await fabric.deploy(definitionFrom(this.#file, this.#options));
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

  #inputs(fn: DeployedFunction): readonly string[] {
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
    await this.#front?.close();
    await this.#fabric?.close();
  }
}
