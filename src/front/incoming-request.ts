/** One request of a client, from its head until its response is sent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DriverName, Strategy } from '../drivers/driver.js';
import type { FunctionRequest } from '../fabric/message.js';
import { nextRequestId } from '../fabric/request-id.js';
import { Timeline } from '../timeline.js';
import type { Connection } from './connection.js';
import type { IncomingBody } from './incoming-body.js';
import type { Route } from './routing.js';
import type { RequestSpan } from './tracing.js';

export class IncomingRequest implements FunctionRequest {
  readonly id = nextRequestId();
  readonly method: string;
  readonly timeline = new Timeline();
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  /** Where it goes, once that is known. */
  route: Route | undefined;
  url = '';
  /** In a distributed trace, where this server takes part in one. */
  span: RequestSpan | undefined;
  /** As the client sent it, absolute; only of a request that is traced. */
  givenUrl = '';
  /** Of the function, likewise. */
  strategy: Strategy | undefined;
  /** What runs the guests, where responses are to name it. */
  driver: DriverName | undefined;
  headers: readonly string[] = [];
  body: Buffer | undefined;
  rest: IncomingBody | undefined;
  /** All of the body that the client sends, where it sends one. */
  incoming: IncomingBody | undefined;
  /** The client takes trailers. */
  takesTrailers = false;
  /** Its connection ends with its response. */
  isLast = false;
  /** Its connection is closed. */
  isGone = false;
  onGone: (() => void) | undefined;

  constructor(raw: IncomingMessage, response: ServerResponse, connection: Connection) {
    this.method = raw.method as string;
    this.raw = raw;
    this.response = response;
    this.connection = connection;
  }

  /** Some of its body has not come yet. */
  get isIncomplete(): boolean {
    const { headers, complete } = this.raw;
    const announced = headers['content-length'] ?? '0';
    return !complete && (headers['transfer-encoding'] !== undefined || announced !== '0');
  }

  /** The client went away. */
  abandon(): void {
    this.isGone = true;
    this.onGone?.();
  }
}
