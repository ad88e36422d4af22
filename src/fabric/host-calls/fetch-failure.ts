/** What a guest is told of a fetch that failed: enough to act on, nothing of the host's network. */
import { HatcheryError } from '../../errors.js';
import { failed } from './fetch-request.js';
import { AddressDenied } from './guarded-connector.js';

const REASONS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'its name could not be looked up for now',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'it cannot be reached',
  ENODATA: 'its name has no address',
  ENOTFOUND: 'its name is not known',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection took too long',
  UND_ERR_BODY_TIMEOUT: 'its response stopped',
  UND_ERR_CLOSED: 'the function is being closed',
  UND_ERR_CONNECT_TIMEOUT: 'the connection took too long',
  UND_ERR_DESTROYED: 'the function is being closed',
  UND_ERR_HEADERS_OVERFLOW: 'the head of its response is too large',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its response ended too early',
  UND_ERR_SOCKET: 'the connection was closed',
};

/** What node:tls says of certificates that are not to be trusted. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/;

/** @param target the host as the guest has it. */
export function fetchFailure(target: string, error: unknown): HatcheryError {
  if (error instanceof HatcheryError) {
    return error;
  }
  if (error instanceof AddressDenied) {
    return new HatcheryError(
      'FETCH_DENIED',
      { target, reason: 'its address is not a public one' },
      { cause: error },
    );
  }
  return failed(target, reasonOf(error), error);
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) {
    // One for each address that was tried.
    return reasonOf(error.errors[0]);
  }
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  const known = typeof code === 'string' ? code : '';
  if (Object.hasOwn(REASONS, known)) {
    return REASONS[known] as string;
  }
  if (CERTIFICATE.test(known)) {
    return `its certificate is not to be trusted (${known})`;
  }
  if (known.startsWith('Z_') || known.startsWith('ERR__ERROR_') || known.startsWith('ERR_BROTLI')) {
    return 'its body is not in the coding that its Content-Encoding names';
  }
  if (known.startsWith('HPE_') || name === 'HTTPParserError') {
    return 'it does not speak HTTP';
  }
  return /^[A-Z][A-Z0-9_]+$/.test(known) ? `it failed (${known})` : 'the connection was closed';
}
