/**
 * Serves a function's fetches. Where each goes is checked twice on every hop: the host that its URL
 * names, here, and the address that it is connected to, by the connector.
 */
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../../errors.js';
import { without } from '../../hop-by-hop.js';
import type { Limits } from '../limits.js';
import { AllowList, targetOf } from './allow-list.js';
import { bodyStream } from './body-stream.js';
import type { CallContext, CallHandler, CallResult } from './call-handler.js';
import { Connections } from './connections.js';
import { ACCEPTED_CODINGS, codingsOf, decodeBody } from './content-decoding.js';
import { fetchFailure } from './fetch-failure.js';
import { decodeFetch, type FetchRequest, failed } from './fetch-request.js';
import { encodeHead, endToEnd, headerValue, type ResponseHead } from './fetch-response.js';
import { Gate } from './gate.js';
import { AddressDenied } from './guarded-connector.js';
import { exchange, type HttpResponse } from './http-exchange.js';
import type { Lookup } from './name-lookup.js';
import { discardBody, isRedirect, redirected } from './redirect.js';

export interface OutboundFetchOptions {
  /** For the log. */
  readonly functionName: string;
  /** The definition's `allowFetch`. */
  readonly allow: readonly string[];
  readonly limits: Pick<Limits, 'hostCallMilliseconds' | 'maxHostCallBytes'>;
  readonly logger: BaseLogger;
  /** How names are looked up. Default: as the machine does it. */
  readonly lookup?: Lookup;
  /** Certificates of authorities, PEM, in place of the usual ones. */
  readonly ca?: string;
}

/** As in Fetch. */
const MAX_REDIRECTS = 20;
/** A brotli decoder may take 16 MiB. */
const MAX_BROTLI_DECODERS = 16;
const USER_AGENT = 'hatchery';
/** Of a response whose body was decoded, they say nothing any more. */
const OF_THE_CODED_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-length']);
/** Fetch, "null body status". */
const NULL_BODY_STATUS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * RFC 9110, 9.2.2: these may be sent again where a connection that was kept open turns out to be closed.
 * undici itself sends nothing twice. Others fail then, since the server may have acted on them.
 */
const IDEMPOTENT: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT']);
const CONNECTION_CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

export class OutboundFetch implements CallHandler {
  readonly #options: OutboundFetchOptions;
  readonly #allow: AllowList;
  readonly #connections: Connections;
  readonly #brotli = new Gate(MAX_BROTLI_DECODERS);

  /** @throws HatcheryError CONFIGURATION_INVALID with the path `allowFetch.N` */
  constructor(options: OutboundFetchOptions) {
    const { allow, limits, lookup, ca } = options;
    this.#options = options;
    this.#allow = new AllowList(allow);
    const milliseconds = limits.hostCallMilliseconds;
    this.#connections = new Connections({ allow: this.#allow, milliseconds, lookup, ca });
  }

  /** @throws HatcheryError FETCH_DENIED, FETCH_FAILED, HOST_CALL_TOO_LARGE; the signal's reason */
  async call(payload: Uint8Array, context: CallContext): Promise<CallResult> {
    const request = withDefaults(decodeFetch(payload), context);
    const { response, url } = await this.#follow(request, context);
    try {
      return await this.#result(request, response, url, context.signal);
    } catch (error) {
      response.body.destroy();
      throw error;
    }
  }

  async #follow(
    first: FetchRequest,
    context: CallContext,
  ): Promise<{ response: HttpResponse; url: URL }> {
    let request = first;
    for (let hops = 0; ; hops += 1) {
      const response = await this.#hop(request, context);
      const { url } = request;
      if (request.redirect === 'manual' || !isRedirect(response)) {
        return { response, url };
      }
      discardBody(response.body);
      if (request.redirect === 'error') {
        throw failed(url.host, 'it redirects, which the request does not allow');
      }
      if (hops === MAX_REDIRECTS) {
        throw failed(url.host, `it redirects more than ${MAX_REDIRECTS} times`);
      }
      request = redirected(request, response);
    }
  }

  async #hop(request: FetchRequest, { signal, requestId }: CallContext): Promise<HttpResponse> {
    const { host } = request.url;
    try {
      if (!this.#allow.permits(targetOf(request.url))) {
        throw new HatcheryError('FETCH_DENIED', { target: host, reason: 'it is not on its list' });
      }
      return await this.#send(request, signal);
    } catch (error) {
      if (signal.aborted) {
        throw signal.reason;
      }
      const failure = fetchFailure(host, error);
      if (failure.code === 'FETCH_DENIED') {
        const address = error instanceof AddressDenied ? error.address : undefined;
        const { functionName, logger } = this.#options;
        logger.debug({ function: functionName, requestId, target: host, address }, 'fetch denied');
      }
      throw failure;
    }
  }

  async #send(request: FetchRequest, signal: AbortSignal): Promise<HttpResponse> {
    const attempt = async () =>
      exchange(await this.#connections.lease(request.url.origin, signal), request, signal);
    try {
      return await attempt();
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (
        signal.aborted ||
        !IDEMPOTENT.has(request.method) ||
        !CONNECTION_CLOSED.has(String(code))
      ) {
        throw error;
      }
      return attempt();
    }
  }

  async #result(
    { method }: FetchRequest,
    response: HttpResponse,
    url: URL,
    signal: AbortSignal,
  ): Promise<CallResult> {
    const { status, reason, body } = response;
    const hasBody = method !== 'HEAD' && !NULL_BODY_STATUS.has(status);
    const codings = hasBody ? codingsOf(headerValue(response.headers, 'content-encoding')) : [];
    const headers = endToEnd(response.headers);
    const head: ResponseHead = {
      url,
      status,
      reason,
      headers: codings.length === 0 ? headers : without(headers, OF_THE_CODED_BODY),
    };
    const payload = encodeHead(head, hasBody);
    const { maxHostCallBytes } = this.#options.limits;
    if (payload.length > maxHostCallBytes) {
      throw new HatcheryError('HOST_CALL_TOO_LARGE', { limit: maxHostCallBytes });
    }
    if (!hasBody) {
      discardBody(body);
      return { payload };
    }
    const leave = codings.includes('br') ? await this.#brotli.enter(signal) : () => {};
    const decoded = decodeBody(body, codings).once('close', leave);
    return { payload, body: bodyStream(decoded, (error) => fetchFailure(url.host, error)) };
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}

/** What Fetch adds to a request where it is not there. */
function withDefaults(
  request: FetchRequest,
  { traceparent, tracestate }: CallContext,
): FetchRequest {
  const headers = [...request.headers];
  const addDefault = (name: string, value: string) => {
    if (headerValue(headers, name) === undefined) {
      headers.push(name, value);
    }
  };
  addDefault('accept', '*/*');
  addDefault('user-agent', USER_AGENT);
  // A part of a coded body could not be decoded.
  const coding = headerValue(headers, 'range') === undefined ? ACCEPTED_CODINGS : 'identity';
  addDefault('accept-encoding', coding);
  // A function that makes spans of its own says so itself: it may name one of them as the parent.
  if (traceparent !== undefined && headerValue(headers, 'traceparent') === undefined) {
    headers.push('traceparent', traceparent);
    if (tracestate !== undefined) {
      addDefault('tracestate', tracestate);
    }
  }
  return { ...request, headers };
}
