/** One operation of the control API: everything that server, client, OpenAPI and pages need of it. */
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { ErrorCode } from '../errors.js';

/** What a token must allow; `none`: no token is needed. */
export type Access = 'read' | 'deploy' | 'spawn' | 'tokens' | 'none';

export interface Example {
  readonly summary: string;
  /** What stands for the parameters in the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the response. */
  readonly status: number;
}

export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With parameters as `:name`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TSchema;
  /** The body is no JSON but bytes, as many as the handler takes; `body` is not given. */
  readonly takesBytes?: true;
  /** Bytes. Default: 64 KiB. */
  readonly maxBodyBytes?: number;
  readonly status: 200 | 201 | 202 | 204;
  /** What a successful response has; `undefined`: nothing, or a stream of events. */
  readonly response?: TSchema;
  /** The response is a stream of server-sent events, each with data of this schema. */
  readonly events?: TSchema;
  /** Codes of errors that are this operation's own. */
  readonly errors: readonly ErrorCode[];
  readonly examples: readonly Example[];
}

/** Keeps the types of the schemas. */
export function operation<const Given extends Operation>(given: Given): Given {
  return given;
}

type Of<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

/** What an operation is asked, and answers. */
export type ParamsOf<Given extends Operation> = Of<Given['params']>;
export type QueryOf<Given extends Operation> = Of<Given['query']>;
export type BodyOf<Given extends Operation> = Of<Given['body']>;
export type ResponseOf<Given extends Operation> = Of<Given['response']>;
export type EventOf<Given extends Operation> = Of<Given['events']>;
