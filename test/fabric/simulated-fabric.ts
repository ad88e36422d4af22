import type { BaseLogger } from 'pino';
import { Fabric } from '../../src/fabric/fabric.js';
import type { DeployedFunction } from '../../src/fabric/function.js';
import type { Limits } from '../../src/fabric/limits.js';
import type { Admission, Strategy } from '../../src/index.js';
import { type Script, Simulator } from './simulator.js';

export interface Simulated {
  readonly driver: Simulator;
  readonly fabric: Fabric;
  readonly fn: DeployedFunction;
}

export interface SimulatedOptions {
  readonly limits?: Partial<Limits>;
  readonly admission?: Partial<Admission>;
  readonly strategy?: Strategy;
  readonly logger?: BaseLogger;
}

/** A fabric with one function, `f`, whose guests follow the script. The image is hello, unused. */
export async function simulate(script: Script, options: SimulatedOptions = {}): Promise<Simulated> {
  const { limits, admission, strategy, logger } = options;
  const driver = new Simulator(script);
  const fabric = await Fabric.open({
    driver,
    ...(admission && { admission }),
    ...(logger && { logger }),
  });
  const fn = await fabric.deploy({
    name: 'f',
    image: 'hello',
    ...(limits && { limits }),
    ...(strategy && { strategy }),
  });
  return { driver, fabric, fn };
}
