/** `hatchery serve FILE`: an HTTP server that answers each request from a virtual machine of its own. */
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { HatcheryError } from '../errors.js';
import type { FunctionDefinition } from '../fabric/definition.js';
import { createLogger } from '../logging.js';
import type { DeployedBy, Serving } from '../supervisor/serving.js';
import type { SpanExporter } from '../tracing/span-exporter.js';
import { addSelfTestOption, processesOf, testItself, whyDriver } from './announcing.js';
import { addFolderOption } from './folder-option.js';
import { addFunctionOptions } from './function-options.js';
import { listenOn, openServing } from './open-serving.js';
import { openTracing } from './open-tracing.js';
import { type Deployable, deployableFrom, type ServedOptions } from './served-file.js';
import { addServerOptions, type ServerOptions } from './server-options.js';
import type { Terminal } from './terminal.js';
import { runUntilStopped, type StoppableServer } from './until-stopped.js';
import { SourceWatcher } from './watch.js';

interface ServeOptions extends ServedOptions, ServerOptions {
  readonly watch?: true;
  readonly selfTest: number;
}

const EXAMPLES = `
Examples:
  hatchery serve examples/hello.ts
  hatchery serve app.ts --port 3000 --watch
  hatchery serve app.ts --memory 128MiB --wall-ms 2000 --env GREETING=hello --env-file .env
  hatchery serve app.wasm --dir public:/srv
  hatchery serve main.c --watch
  hatchery serve app.ts --strategy clone --json --log-level warn
  hatchery serve app.ts --workers 4 --worker-user hatchery --concurrency 64 --queue 256
  hatchery serve app.ts --trust-proxy 10.0.0.0/8 --trust-proxy ::1`;

export function describeServe(command: Command): Command {
  return addSelfTestOption(addServerOptions(addFolderOption(addFunctionOptions(command))))
    .description('serve a function by HTTP: every request gets its own virtual machine')
    .option('--watch', 'deploy the function again whenever one of its files is saved')
    .addHelpText('after', EXAMPLES);
}

export async function serve(
  file: string,
  options: ServeOptions,
  terminal: Terminal,
): Promise<number> {
  return runUntilStopped(new Server(file, options, terminal), terminal);
}

/** What one run of the command holds open. */
class Server implements StoppableServer {
  readonly #file: string;
  readonly #options: ServeOptions;
  readonly #terminal: Terminal;
  readonly #logger: Logger;
  #serving: Serving | undefined;
  #tracing: SpanExporter | undefined;
  #watcher: SourceWatcher | undefined;
  #deployable: Deployable | undefined;
  #abandoned = false;

  constructor(file: string, options: ServeOptions, terminal: Terminal) {
    this.#file = file;
    this.#options = options;
    this.#terminal = terminal;
    this.#logger = createLogger(options.logLevel, terminal.json);
  }

  async start(): Promise<void> {
    const { host, port, selfTest: requests } = this.#options;
    const definition = await this.#definition();
    const fetches = this.#options.allowFetch !== undefined;
    this.#tracing = await openTracing(this.#logger);
    const purpose = { fetches, byName: false, tracing: this.#tracing };
    const serving = await openServing(this.#options, purpose, this.#terminal, this.#logger);
    this.#serving = serving;
    const fn = await serving.deploy(definition);
    if (this.#abandoned) {
      return;
    }
    const url = await listenOn(serving, host, port);
    if (this.#options.watch) {
      this.#watcher = new SourceWatcher(this.#inputs(fn), () => this.#redeploy(serving));
    }
    this.#announce(url, serving, fn);
    if (requests > 0) {
      await testItself(url, requests, this.#terminal);
    }
  }

  #announce(url: string, serving: Serving, fn: DeployedBy): void {
    const { workers, driver: used } = serving;
    const driver = used.name;
    const { strategy } = fn;
    const why = {
      driver: whyDriver(serving, this.#options.driver),
      strategy: this.#options.strategy === undefined ? `what ${driver} does fastest` : 'asked for',
    };
    this.#terminal.result(
      `Serving ${fn.name} at ${this.#terminal.style('bold', url)}\n` +
        `  driver    ${driver}: ${why.driver}\n` +
        `  strategy  ${strategy}: ${why.strategy}\n` +
        `  workers   ${processesOf(serving)}`,
      { event: 'listening', url, function: fn.name, driver, strategy, workers, why },
    );
    if (this.#options.watch) {
      this.#terminal.note('  watching  its files: saving one deploys it again');
    }
  }

  /** What fails is said, and the version before it goes on answering. */
  async #redeploy(serving: Serving): Promise<readonly string[] | undefined> {
    const start = performance.now();
    try {
      const fn = await serving.deploy(await this.#definition());
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

  /** What the file is now. */
  async #definition(): Promise<FunctionDefinition> {
    this.#deployable = await deployableFrom(this.#file, this.#options, this.#terminal);
    return this.#deployable.definition;
  }

  #inputs(fn: DeployedBy): readonly string[] {
    const { envFile } = this.#options;
    const files = this.#deployable?.inputs ?? fn.inputs;
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
    await this.#tracing?.close();
  }
}
