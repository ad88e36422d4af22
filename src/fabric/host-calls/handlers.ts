/** What serves the host calls of one version of a function. */
import { HatcheryError } from '../../errors.js';
import type { CallHandler } from './call-handler.js';
import type { CallHandlers } from './host-calls.js';

/** For a function that may fetch from nowhere. */
const NO_FETCH: CallHandler = {
  call: async () => {
    const reason = 'it may fetch from nowhere';
    throw new HatcheryError('FETCH_DENIED', { target: 'any host', reason });
  },
  close: async () => {},
};

/** For a function without bindings. */
const NO_BINDINGS: CallHandler = {
  call: async () => {
    throw new HatcheryError('BINDING_MISSING', { binding: 'that name' });
  },
  close: async () => {},
};

/** @returns handlers that are to be closed with the last instance. */
export async function createHandlers(): Promise<CallHandlers> {
  return { fetch: NO_FETCH, binding: NO_BINDINGS };
}

export async function closeHandlers({ fetch, binding }: CallHandlers): Promise<void> {
  await Promise.all([fetch.close(), binding.close()]);
}
