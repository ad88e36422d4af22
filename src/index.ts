/** The public API of Hatchery. */
export type { DriverName, Strategy, XenGuestType } from './drivers/driver.js';
export { type ErrorCode, type ErrorDetails, type ErrorReport, HatcheryError } from './errors.js';
export type { Binding, BoundFunction, FunctionDefinition } from './fabric/definition.js';
export { Fabric, type FabricOptions } from './fabric/fabric.js';
export type { DeployedFunction } from './fabric/function.js';
export { type BindingContext, bindingContext } from './fabric/host-calls/binding-context.js';
export type { Instance } from './fabric/instance.js';
export { DEFAULT_LIMITS, type Limits } from './fabric/limits.js';
export type { ByteStream, FunctionRequest, Reply } from './fabric/message.js';
export type { Admission } from './fabric/places.js';
export { type RequestParts, timelineOf, usageOf } from './fabric/web.js';
export { type Front, type FrontOptions, startFront } from './front/front.js';
export { type ColdPhases, type Phase, Timeline } from './timeline.js';
export type { Usage } from './usage.js';

// Node loads its `fetch` where it is first mentioned: not in somebody's first request.
void globalThis.Response;
