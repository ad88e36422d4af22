/** The whole of it as a library: functions deployed on one driver, in this process. */
import { type BaseLogger, pino } from 'pino';
import { openDriver } from '../drivers/detect.js';
import type { Driver, DriverName, Strategy, XenGuestType } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { Images, ParsedImages } from '../image/images.js';
import { TraceMapper } from '../image/source-maps.js';
import { configurationOf } from './configuration.js';
import { Deadlines } from './deadlines.js';
import { defaultAdmission } from './default-admission.js';
import { type Binding, checkDefinition, type FunctionDefinition } from './definition.js';
import { Deployment } from './deployment.js';
import { Failures } from './failure.js';
import { DeployedFunction, type Version } from './function.js';
import { closeHandlers, createHandlers } from './host-calls/handlers.js';
import type { Instance } from './instance.js';
import { Placement } from './placement.js';
import { type Admission, type Load, Places } from './places.js';
import { type PreparedFunction, prepareChecked } from './prepared.js';
import { Redaction } from './redaction.js';
import { prepare } from './spawning.js';
import { StartedImages } from './started-images.js';

export interface FabricOptions {
  /** Default: the first that works on this machine. A driver object becomes the fabric's. */
  readonly driver?: DriverName | 'auto' | Driver;
  /** The kind of domains, where the driver is Xen. Default: `pvh`. */
  readonly xenType?: XenGuestType | undefined;
  /** Gets what guests log, and what goes wrong. Default: none. */
  readonly logger?: BaseLogger;
  /** For all functions together. Default: what the machine's cores and memory allow. */
  readonly admission?: Partial<Admission>;
  /** Where the built images are. Default: in this package. */
  readonly imageFolder?: string;
}

/** A version of a function that has been started and answers nothing yet. */
export interface StagedFunction {
  /** How its instances come to be. */
  readonly strategy: Strategy;
  /** Lets it answer from now on, in one step. @throws HatcheryError FABRIC_CLOSED */
  commit(): DeployedFunction;
  /**
   * An instance of it, whether it answers or not: as `DeployedFunction.spawn`.
   * @throws HatcheryError OVERLOADED, DRIVER_FAILED
   */
  spawn(logger?: BaseLogger): Promise<Instance>;
  /** Throws it away, once the instances that it spawned have ended. */
  discard(): Promise<void>;
}

export class Fabric {
  readonly driver: Driver;
  readonly #logger: BaseLogger;
  readonly #places: Places;
  readonly #images: Images;
  readonly #parsed = new ParsedImages();
  readonly #startedImages: StartedImages;
  readonly #functions = new Map<string, DeployedFunction>();
  /** Bound host names, and the names of their functions. */
  readonly #hosts = new Map<string, string>();
  /** Deployments of one name happen one after the other. */
  readonly #deploying = new Map<string, Promise<unknown>>();
  /** Staged deployments that answer nothing yet, and replaced ones that have not ended. */
  readonly #retiring = new Set<Deployment>();
  #closing: Promise<void> | undefined;

  private constructor(driver: Driver, options: FabricOptions) {
    this.driver = driver;
    this.#logger = options.logger ?? pino({ enabled: false });
    this.#places = new Places({ ...defaultAdmission(), ...options.admission }, this.#logger);
    this.#images = new Images(options.imageFolder);
    this.#startedImages = new StartedImages(driver, this.#logger);
    driver.onLost?.((error) => this.#renew(error));
  }

  /** @throws HatcheryError KVM_UNAVAILABLE, XEN_UNAVAILABLE, ADDON_MISSING, INVALID_ARGUMENT */
  static async open(options: FabricOptions = {}): Promise<Fabric> {
    const { driver = 'auto', xenType } = options;
    const opened = typeof driver === 'string' ? openDriver(driver, { xenType }) : driver;
    return new Fabric(opened, options);
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
    const { name, bindings } = checked;
    return this.#inTurn(name, async () => {
      return this.#deployNow(await prepareChecked(checked, this.#images), bindings);
    });
  }

  /**
   * The second half of {@link deploy}, for a function that was prepared before, in this process or in
   * another one that is trusted: starts it once, takes its snapshot, switches over.
   *
   * @throws HatcheryError CONFIGURATION_INVALID, STARTUP_FAILED, STARTUP_PENDING, STARTUP_TIMEOUT,
   *   MEMORY_EXCEEDED, IMAGE_INVALID, HOST_TAKEN, DRIVER_FAILED, FABRIC_CLOSED
   */
  async deployPrepared(
    prepared: PreparedFunction,
    bindings: Readonly<Record<string, Binding>> = {},
  ): Promise<DeployedFunction> {
    const { name } = prepared.definition;
    return this.#inTurn(name, () => this.#deployNow(prepared, bindings));
  }

  /**
   * The first half of {@link deployPrepared}: what answers now goes on doing so until `commit`. So
   * several fabrics can switch over together, or not at all.
   * @throws HatcheryError as {@link deployPrepared}
   */
  async stage(
    prepared: PreparedFunction,
    bindings: Readonly<Record<string, Binding>> = {},
  ): Promise<StagedFunction> {
    this.#checkOpen();
    this.#checkHosts(prepared);
    const version = await this.#start(prepared, bindings);
    const { deployment } = version;
    if (this.#closing !== undefined) {
      await deployment.close();
      this.#checkOpen();
    }
    this.#retiring.add(deployment);
    return {
      strategy: deployment.spawning.strategy,
      commit: () => {
        this.#checkOpen();
        this.#checkHosts(prepared);
        this.#retiring.delete(deployment);
        return this.#switchOver(prepared, version);
      },
      spawn: (logger) => deployment.spawn(logger),
      discard: () => this.#retire(deployment),
    };
  }

  /** The function of that name, if there is one. */
  function(name: string): DeployedFunction | undefined {
    return this.#functions.get(name);
  }

  /** All functions that answer. */
  functions(): Iterable<DeployedFunction> {
    return this.#functions.values();
  }

  /** How full it is, all functions together. */
  get load(): Load {
    return this.#places.load;
  }

  /** The name of the function to which a host name is bound. */
  boundTo(host: string): string | undefined {
    return this.#hosts.get(host);
  }

  /** Lets what is under way finish, within its limits, and frees everything. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #renew(lost: () => HatcheryError): void {
    this.#logger.warn(
      { driver: this.driver.name },
      'all virtual machines were lost: functions are started once more',
    );
    for (const fn of this.#functions.values()) {
      fn.deployment?.renew(lost);
    }
    for (const deployment of this.#retiring) {
      deployment.renew(lost);
    }
  }

  /** Deployments of one name wait for each other. */
  async #inTurn<Result>(name: string, deploy: () => Promise<Result>): Promise<Result> {
    this.#checkOpen();
    const before = this.#deploying.get(name) ?? Promise.resolve();
    const deploying = before.catch(() => {}).then(deploy);
    this.#deploying.set(name, deploying);
    try {
      return await deploying;
    } finally {
      if (this.#deploying.get(name) === deploying) {
        this.#deploying.delete(name);
      }
    }
  }

  async #deployNow(
    prepared: PreparedFunction,
    bindings: Readonly<Record<string, Binding>>,
  ): Promise<DeployedFunction> {
    return (await this.stage(prepared, bindings)).commit();
  }

  /** @throws HatcheryError HOST_TAKEN */
  #checkHosts({ definition: { name, hosts } }: PreparedFunction): void {
    for (const host of hosts) {
      const owner = this.#hosts.get(host) ?? name;
      if (owner !== name) {
        throw new HatcheryError('HOST_TAKEN', { host, function: owner });
      }
    }
  }

  #bindHosts(name: string, hosts: readonly string[]): void {
    for (const [host, owner] of this.#hosts) {
      if (owner === name) {
        this.#hosts.delete(host);
      }
    }
    for (const host of hosts) {
      this.#hosts.set(host, name);
    }
  }

  #switchOver({ definition }: PreparedFunction, version: Version): DeployedFunction {
    const { name, hosts } = definition;
    this.#bindHosts(name, hosts);
    const fn =
      this.#functions.get(name) ?? new DeployedFunction(name, (gone) => this.#removeNow(gone));
    this.#functions.set(name, fn);
    const replaced = fn.replace(version);
    if (replaced !== undefined) {
      this.#retire(replaced);
    }
    return fn;
  }

  async #start(
    prepared: PreparedFunction,
    bindings: Readonly<Record<string, Binding>>,
  ): Promise<Version> {
    const { definition, bundle, workingFolder } = prepared;
    const { name, limits } = definition;
    const strategy = definition.strategy ?? this.driver.defaultStrategy;
    if (!this.driver.strategies.includes(strategy)) {
      throw new HatcheryError('CONFIGURATION_INVALID', {
        path: 'strategy',
        problem: `the driver ${this.driver.name} has no ${strategy}`,
      });
    }
    const image = this.#parsed.parse(prepared.image);
    const redaction = new Redaction(definition.secrets);
    const failures = new Failures({
      function: name,
      limits,
      redaction,
      traces: bundle === undefined ? undefined : new TraceMapper(bundle.map, workingFolder),
      symbolAt: (address) => image.elf.symbolAt(address),
    });
    const logger = this.#logger;
    const { allowFetch } = definition;
    const handlers = await createHandlers({ function: name, allowFetch, bindings, limits, logger });
    const blueprint = {
      function: name,
      driver: this.driver,
      image,
      startedImages: this.#startedImages,
      configuration: configurationOf(prepared, bindings),
      limits,
      failures,
      logger,
      redaction,
    };
    const spawning = await prepare(blueprint, strategy, definition.poolSize).catch(
      async (error: unknown) => {
        await closeHandlers(handlers);
        throw error;
      },
    );
    const serving = {
      function: name,
      limits,
      failures,
      placement: new Placement(),
      deadlines: new Deadlines(),
      handlers,
      logger,
      redaction,
    };
    return {
      deployment: new Deployment(spawning, serving, this.#places),
      inputs: bundle?.inputs ?? [],
      bundleMilliseconds: bundle?.milliseconds,
    };
  }

  async #removeNow(fn: DeployedFunction): Promise<void> {
    if (this.#functions.get(fn.name) === fn) {
      this.#functions.delete(fn.name);
      this.#bindHosts(fn.name, []);
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
    this.#places.close();
    await this.driver.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new HatcheryError('FABRIC_CLOSED');
    }
  }
}
