/** The prelude's entry: installs the web APIs and gives the C side its hooks. */

import { addBindings } from './bindings.js';
import { limitCallsInFlight } from './calls.js';
import { abandonBackgroundWork, ExecutionContext, hasBackgroundWork } from './context.js';
import {
  errorReport,
  forgetRejection,
  hasRejections,
  reportRejections,
  trackRejection,
} from './errors.js';
import { installGlobals } from './globals.js';
import { host, LOG_LEVEL, RESPONSE_BACKGROUND, RESPONSE_ERROR } from './host.js';
import { Incoming } from './incoming.js';
import { turn } from './loop.js';
import { makeIncoming, type Request } from './request.js';
import { Response, sendResponse } from './response.js';
import { beginRequest, endStartUp } from './serving.js';
import { warmUp } from './warm-up.js';

type Handler = {
  fetch(request: Request, env: object, context: ExecutionContext): unknown;
};

/** The engine's own: the program may put another in its place. */
const EnginePromise = Promise;

let handler: Handler;
let env: object;

function flags(): number {
  return hasBackgroundWork() || hasRejections() ? RESPONSE_BACKGROUND : 0;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? Object.prototype.toString.call(value) : typeof value;
}

host.start = (candidate) => {
  const fetch = (candidate as Handler | null | undefined)?.fetch;
  if (typeof fetch !== 'function') {
    throw new TypeError(
      'the module needs `export default { fetch(request, env, ctx) { … } }`; ' +
        `its default export is ${describe(candidate)}${candidate == null ? '' : ' without fetch'}`,
    );
  }
  handler = candidate as Handler;
  env = JSON.parse(host.env ?? '{}');
  addBindings(env, JSON.parse(host.bindings ?? '{}'));
  const { warmUp: isHandlerWarmed = false, maxHostCallsInFlight } = JSON.parse(host.limits ?? '{}');
  if (maxHostCallsInFlight !== undefined) limitCallsInFlight(maxHostCallsInFlight);
  warmUp(
    isHandlerWarmed ? (request) => handler.fetch(request, env, new ExecutionContext()) : undefined,
  );
};

host.serve = (method, url) => {
  beginRequest();
  return host.settle(
    handler.fetch(makeIncoming(method, url, new Incoming()), env, new ExecutionContext()),
  );
};

host.settle = (value) => {
  if (value instanceof Response) return sendResponse(value, flags());
  if (value instanceof EnginePromise) return value;
  const { then } = (value ?? {}) as { then?: unknown };
  if (typeof then === 'function') return EnginePromise.resolve(value);
  throw new TypeError(`the handler returned ${describe(value)}, not a Response`);
};

host.fail = (error) => {
  forgetRejection(error);
  host.respond(500, '', errorReport(error), flags() | RESPONSE_ERROR);
};

host.report = errorReport;

host.rejection = trackRejection;

host.turn = turn;

host.linger = () => hasBackgroundWork() && turn();

host.idle = () => {
  endStartUp();
  reportRejections();
  const abandoned = abandonBackgroundWork();
  if (abandoned > 0) {
    host.log(LOG_LEVEL.warn, `ctx.waitUntil: ${abandoned} promise(s) can never settle`);
  }
};

installGlobals();
