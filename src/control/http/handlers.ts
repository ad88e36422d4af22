/** What each operation is answered by: its type follows from the operation's schemas. */
import type { BodyOf, ParamsOf, QueryOf, ResponseOf } from '../../api/operation.js';
import type { OperationId, Operations } from '../../api/operations.js';
import type { TokenFacts } from '../access/token.js';
import type { EventStream } from './event-streams.js';

/** One request of an operation. */
export interface Call<Id extends OperationId> {
  readonly params: ParamsOf<Operations[Id]>;
  readonly query: QueryOf<Operations[Id]>;
  readonly body: BodyOf<Operations[Id]>;
  /** Of operations that take bytes; reading it may end in CLIENT_GONE. Else empty. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** How many they are, where the client says it. */
  readonly length: number | undefined;
  /** Also in the response's X-Request-Id. */
  readonly requestId: string;
  /** Who asks; absent where the operation needs no token. */
  readonly token: TokenFacts | undefined;
  /** The header Last-Event-ID. */
  readonly lastEventId: string | undefined;
  /**
   * Answers with a stream of events, for operations that do.
   * @throws HatcheryError STREAMS_EXHAUSTED
   */
  stream(): EventStream;
}

export type Handlers = {
  readonly [Id in OperationId]: (call: Call<Id>) => Promise<ResponseOf<Operations[Id]>>;
};
