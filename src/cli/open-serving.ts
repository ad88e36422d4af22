/** Opens what serves, worker processes or this process alone, as the options have it. */
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import { chooseDriver } from '../drivers/detect.js';
import type { DriverName } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { Report } from '../supervisor/observations.js';
import type { Serving } from '../supervisor/serving.js';
import type { TracedServing } from '../supervisor/traced-requests.js';
import { admissionFrom, type ServerOptions } from './server-options.js';
import type { Terminal } from './terminal.js';

/** What workers need. */
const PROCESS_ADDON = 'hatchery_process';

export interface Purpose {
  /** Whether functions may be deployed that fetch. */
  readonly fetches: boolean;
  /** Requests go to the function that they name. */
  readonly byName: boolean;
  /** The function that answers `/` then. */
  readonly rootFunction?: string | undefined;
  /** Is told what happens. */
  readonly report?: Report;
  /** Takes part in distributed traces. */
  readonly tracing?: TracedServing | undefined;
  /** The Zerg page is served. */
  readonly zerg?: boolean;
}

/** @throws HatcheryError as the driver's opening, LOCK_DOWN_FAILED, INVALID_ARGUMENT */
export async function openServing(
  options: ServerOptions,
  { fetches, byName, rootFunction, report, tracing, zerg = false }: Purpose,
  terminal: Terminal,
  logger: Logger,
): Promise<Serving> {
  const { xenType, workerUser, trustProxy = [], maxConnections } = options;
  const driver = chooseDriver(options.driver);
  const workers = workersFor(driver, options.workers);
  const common = {
    ...{ driver, xenType, logger, admission: admissionFrom(options), trustProxy, maxConnections },
    ...{ byName, rootFunction, report, tracing, zerg },
  };
  if (workers === 0) {
    warnOfOneProcess(driver, terminal, logger);
    const { OneProcess } = await import('../supervisor/one-process.js');
    return OneProcess.open(common);
  }
  const { Supervised } = await import('../supervisor/supervised.js');
  const log = { level: options.logLevel, json: terminal.json };
  try {
    return await Supervised.open({ ...common, workers, workerUser, fetches, log });
  } catch (error) {
    if (error instanceof HatcheryError && error.details.name === PROCESS_ADDON) {
      terminal.note(`Without ${PROCESS_ADDON}, only --workers 0 works, in one process.`);
    }
    throw error;
  }
}

function warnOfOneProcess(driver: DriverName, terminal: Terminal, logger: Logger): void {
  if (driver === 'xen') {
    logger.warn(
      'with the driver xen everything runs in one process, as root: no wall is around it but the ' +
        'domains’, for nothing walls in who controls Xen',
    );
    return;
  }
  terminal.note(
    'warning: with --workers 0 everything runs in one process: no wall is around it but the ' +
      'virtual machines’.',
  );
}

/**
 * Whoever may call Xen may map the memory of all domains, Dom0's too, so that the walls around a
 * worker would be none. (Xen can restrict the devices to one domain, but not to those to come.)
 * @throws HatcheryError INVALID_ARGUMENT
 */
function workersFor(driver: DriverName, asked: number | undefined): number {
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

/**
 * Guests of one worker run on threads besides the one that does HTTP, so a worker keeps two
 * processors busy; and each one costs memory.
 */
function defaultWorkers(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2));
}

/**
 * What cannot be listened on is the user's to change.
 * @throws HatcheryError PORT_IN_USE, INVALID_ARGUMENT
 */
export async function listenOn(
  server: { listen(host: string, port: number): Promise<string> },
  host: string,
  port: number,
): Promise<string> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    if (error instanceof HatcheryError || (error as NodeJS.ErrnoException).code === undefined) {
      throw error;
    }
    const problem = `${host}, port ${port}, cannot be listened on: ${(error as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause: error });
  }
}
