/** What serves the host calls of one version of a function. */
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../../errors.js';
import type { Binding } from '../definition.js';
import type { Limits } from '../limits.js';
import { Bindings } from './bindings.js';
import type { CallHandler } from './call-handler.js';
import type { CallHandlers } from './host-calls.js';

export interface HandlerOptions {
  readonly function: string;
  readonly allowFetch: readonly string[];
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly limits: Limits;
  readonly logger: BaseLogger;
}

/** For a function that may fetch from nowhere. */
const NO_FETCH: CallHandler = {
  call: async () => {
    const reason = 'no host is allowed';
    throw new HatcheryError('FETCH_DENIED', { target: 'any host', reason });
  },
  close: async () => {},
};

/**
 * @returns handlers that are to be closed with the last instance.
 * @throws HatcheryError CONFIGURATION_INVALID
 */
export async function createHandlers(options: HandlerOptions): Promise<CallHandlers> {
  const { function: functionName, bindings, limits } = options;
  return {
    fetch: options.allowFetch.length === 0 ? NO_FETCH : await createFetch(options),
    binding: new Bindings({ functionName, bindings, limits }),
  };
}

/**
 * Loads the HTTP client, which takes memory, so only where something is fetched. A process that will
 * not be able to read files calls it before: once loaded from here, it need not be found again.
 */
export function loadFetch(): Promise<typeof import('./outbound-fetch.js')> {
  return import('./outbound-fetch.js');
}

async function createFetch(options: HandlerOptions): Promise<CallHandler> {
  const { OutboundFetch } = await loadFetch();
  const { function: functionName, allowFetch: allow, limits, logger } = options;
  return new OutboundFetch({ functionName, allow, limits, logger });
}

export async function closeHandlers({ fetch, binding }: CallHandlers): Promise<void> {
  await Promise.all([fetch.close(), binding.close()]);
}
