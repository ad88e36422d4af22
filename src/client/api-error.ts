/** An error of the control API, or of the way to it. */

/** What the API answers every error with. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly requestId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** One of those in the API's reference; `UNREACHABLE` where there was no answer of the API's. */
  readonly code: string;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, body: ErrorBody, options: { readonly cause?: unknown } = {}) {
    super(body.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = body.code;
    this.requestId = body.requestId;
    this.details = body.details ?? {};
  }
}
