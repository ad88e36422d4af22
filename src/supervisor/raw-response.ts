/** Responses that the supervisor gives itself, where no worker can. */
import { HatcheryError } from '../errors.js';
import { rawResponse } from '../front/raw-response.js';

const RETRY_SECONDS = 1;

/** For a request whose worker died before it answered anything. */
export function workerDiedResponse(): string {
  return rawResponse(new HatcheryError('WORKER_DIED'));
}

/** For a connection that comes when the last worker is done. */
export function drainingResponse(): string {
  const error = new HatcheryError('DRAINING', { retryAfter: RETRY_SECONDS });
  return rawResponse(error, [`Retry-After: ${RETRY_SECONDS}`]);
}
