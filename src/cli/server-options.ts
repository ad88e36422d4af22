/** The options that say how functions are served: those that `serve` and `up` share. */
import { type Command, Option } from 'commander';
import type { DriverName, XenGuestType } from '../drivers/driver.js';
import type { Admission } from '../fabric/places.js';
import { MAX_CONNECTIONS } from '../front/listening.js';
import { LOG_LEVELS, type LogLevel } from '../logging.js';
import { collect, wholeNumber } from './values.js';

export interface DriverOptions {
  readonly driver: DriverName | 'auto';
  readonly xenType?: XenGuestType;
  readonly logLevel: LogLevel;
}

export interface ServerOptions extends DriverOptions {
  readonly host: string;
  readonly port: number;
  readonly workers?: number;
  readonly workerUser?: string;
  readonly concurrency?: number;
  readonly queue?: number;
  readonly queueMs?: number;
  readonly trustProxy?: readonly string[];
  readonly maxConnections: number;
}

const DRIVERS: readonly (DriverName | 'auto')[] = ['auto', 'kvm', 'process', 'xen'];
const XEN_TYPES: readonly XenGuestType[] = ['pvh', 'pv'];
export const MAX_PORT = 65_535;
const MAX_WORKERS = 1024;
const MAX_QUEUE_MILLISECONDS = 3_600_000;
const MAX_REQUESTS = 1_000_000;
const MOST_CONNECTIONS = 1_000_000;

/** What runs the virtual machines, and what is logged. */
export function addDriverOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--driver <name>', 'what runs the virtual machines')
        .choices(DRIVERS)
        .default('auto'),
    )
    .addOption(
      new Option(
        '--xen-type <type>',
        'the kind of domains, with the driver xen: pvh, or pv where the processor has no ' +
          'virtualisation (default: pvh)',
      ).choices(XEN_TYPES),
    );
}

export function addLogOption(command: Command): Command {
  return command.addOption(
    new Option('--log-level <level>', 'what is logged, to standard error')
      .choices(LOG_LEVELS)
      .default('info'),
  );
}

/** Where requests come from, and how many of them are served. */
export function addServerOptions(command: Command): Command {
  return command
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
    );
}

export function admissionFrom({ concurrency, queue, queueMs }: ServerOptions): Partial<Admission> {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(queue === undefined ? {} : { queue }),
    ...(queueMs === undefined ? {} : { queueMilliseconds: queueMs }),
  };
}
