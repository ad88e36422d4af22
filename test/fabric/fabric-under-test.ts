/** Fabrics and functions for tests that are about every driver; see drivers/driver-under-test.ts. */

import {
  DEFAULT_LIMITS,
  type DeployedFunction,
  Fabric,
  type FabricOptions,
  type FunctionDefinition,
  type Limits,
} from '../../src/index.js';
import { milliseconds, tested } from '../drivers/driver-under-test.js';

/** The default of `queueMilliseconds`. */
const QUEUE_MILLISECONDS = 2000;

/** On the driver under test. Where that is slow, requests wait for longer. */
export function openFabric(options: FabricOptions = {}): Promise<Fabric> {
  const { name: driver, xenType } = tested;
  const queueMilliseconds = milliseconds(QUEUE_MILLISECONDS);
  const admission = { queueMilliseconds, ...options.admission };
  return Fabric.open({ driver, xenType, ...options, admission });
}

/** Deploys a function whose times, those that it names and the others, are what they are on KVM. */
export function deploy(fabric: Fabric, definition: FunctionDefinition): Promise<DeployedFunction> {
  return fabric.deploy(slowedDown(definition));
}

/** The definition with such times. */
export function slowedDown(definition: FunctionDefinition): FunctionDefinition {
  return { ...definition, limits: scaled(definition.limits ?? {}) };
}

function scaled(limits: Partial<Limits>): Limits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  return {
    ...all,
    startupMilliseconds: milliseconds(all.startupMilliseconds),
    wallMilliseconds: milliseconds(all.wallMilliseconds),
    cpuMilliseconds: milliseconds(all.cpuMilliseconds),
  };
}
