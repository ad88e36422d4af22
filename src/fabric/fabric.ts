/** The whole of it as a library: functions deployed on one driver, in this process. */
import { availableParallelism } from 'node:os';
import { type BaseLogger, pino } from 'pino';
import { openDriver } from '../drivers/detect.js';
import type { Driver, DriverName } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { type Bundle, bundle, type Source } from '../image/bundle.js';
import { TraceMapper } from '../image/source-maps.js';
import { ImageStore } from '../image/store.js';
import { type CheckedDefinition, checkDefinition, type FunctionDefinition } from './definition.js';
import { type Admission, Deployment } from './deployment.js';
import { Failures } from './failure.js';
import { DeployedFunction, type Version } from './function.js';
import { Placement } from './placement.js';
import { prepare } from './spawning.js';

export interface FabricOptions {
  /** Default: the first that works on this machine. A driver object becomes the fabric's. */
  readonly driver?: DriverName | 'auto' | Driver;
  /** Gets what guests log, and what goes wrong. Default: none. */
  readonly logger?: BaseLogger;
  /** For each function. */
  readonly admission?: Partial<Admission>;
  /** Where the built images are. Default: in this package. */
  readonly imageFolder?: string;
}

/** Guests do nothing but compute, so more at a time would only wait for each other. */
const CONCURRENCY_PER_CPU = 4;
const QUEUE_LENGTH = 1024;
const INSTANCES = 4096;

export class Fabric {
  readonly driver: Driver;
  readonly #logger: BaseLogger;
  readonly #admission: Admission;
  readonly #images: ImageStore;
  readonly #functions = new Map<string, DeployedFunction>();
  /** Deployments of one name happen one after the other. */
  readonly #deploying = new Map<string, Promise<unknown>>();
  /** Replaced deployments that have not ended. */
  readonly #retiring = new Set<Deployment>();
  #closing: Promise<void> | undefined;

  private constructor(driver: Driver, options: FabricOptions) {
    this.driver = driver;
    this.#logger = options.logger ?? pino({ enabled: false });
    this.#admission = {
      concurrency: CONCURRENCY_PER_CPU * availableParallelism(),
      queue: QUEUE_LENGTH,
      instances: INSTANCES,
      ...options.admission,
    };
    this.#images = new ImageStore(options.imageFolder);
  }

  /** @throws HatcheryError KVM_UNAVAILABLE, ADDON_MISSING, INVALID_ARGUMENT */
  static async open(options: FabricOptions = {}): Promise<Fabric> {
    const { driver = 'auto' } = options;
    return new Fabric(typeof driver === 'string' ? openDriver(driver) : driver, options);
  }

  /**
   * Deploys a function: bundles it, starts it once, takes its snapshot. A name that is taken is
   * switched over in one step when all this is done: requests under way finish on the version that
   * they began with, and where this fails the old version stays.
   *
   * @throws HatcheryError CONFIGURATION_INVALID, BUNDLE_FAILED, STARTUP_FAILED, STARTUP_PENDING,
   *   STARTUP_TIMEOUT, MEMORY_EXCEEDED, IMAGE_MISSING, IMAGE_INVALID, DRIVER_FAILED, FABRIC_CLOSED
   */
  async deploy(definition: FunctionDefinition): Promise<DeployedFunction> {
    const checked = checkDefinition(definition);
    this.#checkOpen();
    const before = this.#deploying.get(checked.name) ?? Promise.resolve();
    const deploying = before.catch(() => {}).then(() => this.#deployNow(checked));
    this.#deploying.set(checked.name, deploying);
    try {
      return await deploying;
    } finally {
      if (this.#deploying.get(checked.name) === deploying) {
        this.#deploying.delete(checked.name);
      }
    }
  }

  /** The function of that name, if there is one. */
  function(name: string): DeployedFunction | undefined {
    return this.#functions.get(name);
  }

  /** Lets what is under way finish, within its limits, and frees everything. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #deployNow(definition: CheckedDefinition): Promise<DeployedFunction> {
    this.#checkOpen();
    const version = await this.#start(definition);
    if (this.#closing !== undefined) {
      await version.deployment.close();
      this.#checkOpen();
    }
    const { name } = definition;
    const fn =
      this.#functions.get(name) ?? new DeployedFunction(name, (gone) => this.#removeNow(gone));
    this.#functions.set(name, fn);
    const replaced = fn.replace(version);
    if (replaced !== undefined) {
      this.#retire(replaced);
    }
    return fn;
  }

  async #start(definition: CheckedDefinition): Promise<Version> {
    const { name, limits } = definition;
    const strategy = definition.strategy ?? this.driver.defaultStrategy;
    if (!this.driver.strategies.includes(strategy)) {
      throw new HatcheryError('CONFIGURATION_INVALID', {
        path: 'strategy',
        problem: `the driver ${this.driver.name} has no ${strategy}`,
      });
    }
    const source = sourceOf(definition);
    const [image, bundled] = await Promise.all([
      this.#images.read(definition.image),
      source === undefined ? undefined : bundle(name, source),
    ]);
    const failures = new Failures({
      function: name,
      limits,
      traces: bundled === undefined ? undefined : new TraceMapper(bundled.map),
      symbolAt: (address) => image.elf.symbolAt(address),
    });
    const logger = this.#logger;
    const spawning = await prepare(
      {
        function: name,
        driver: this.driver,
        image,
        configuration: configurationOf(definition, bundled),
        limits,
        failures,
        logger,
      },
      strategy,
    );
    const serving = { function: name, limits, failures, placement: new Placement(), logger };
    return {
      deployment: new Deployment(spawning, serving, this.#admission),
      inputs: bundled?.inputs ?? [],
      bundleMilliseconds: bundled?.milliseconds,
    };
  }

  async #removeNow(fn: DeployedFunction): Promise<void> {
    if (this.#functions.get(fn.name) === fn) {
      this.#functions.delete(fn.name);
    }
    const deployment = fn.replace(undefined);
    if (deployment !== undefined) {
      await this.#retire(deployment);
    }
  }

  async #retire(deployment: Deployment): Promise<void> {
    this.#retiring.add(deployment);
    try {
      await deployment.retire();
    } catch (error) {
      this.#logger.error({ err: error }, 'a replaced function cannot be closed');
    } finally {
      this.#retiring.delete(deployment);
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#deploying.values());
    const deployments = [...this.#retiring];
    for (const fn of this.#functions.values()) {
      const deployment = fn.replace(undefined);
      if (deployment !== undefined) {
        deployments.push(deployment);
      }
    }
    this.#functions.clear();
    await Promise.all(deployments.map((deployment) => deployment.close()));
    await this.driver.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new HatcheryError('FABRIC_CLOSED');
    }
  }
}

function sourceOf({ file, source, folder }: CheckedDefinition): Source | undefined {
  if (file !== undefined) {
    return { file };
  }
  return source === undefined ? undefined : { text: source, folder: folder ?? '.' };
}

/** What a guest gets from its parent; the images say what they take of it. */
function configurationOf(
  { name, env, limits, warmUp }: CheckedDefinition,
  bundled: Bundle | undefined,
): ReadonlyMap<string, Uint8Array> {
  const { startupMilliseconds } = limits;
  const items: [string, string][] = [
    ['name', name],
    ['env', JSON.stringify(env)],
    ['limits', JSON.stringify({ startupMilliseconds, warmUp })],
  ];
  const encoder = new TextEncoder();
  const encoded = new Map<string, Uint8Array>(
    items.map(([item, value]) => [item, encoder.encode(value)]),
  );
  if (bundled !== undefined) {
    encoded.set('module', bundled.code);
  }
  return encoded;
}
