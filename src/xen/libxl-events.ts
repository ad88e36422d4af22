/** What happens to domains, in order and without gaps. */
import { HatcheryError } from '../errors.js';
import type { ShutdownReason } from './libxl-info.js';
import type { LibxlRequests } from './libxl-requests.js';

export interface DomainEvent {
  /** Counts up by one in this process; the same for all its threads. */
  readonly number: number;
  /** `shutdown`: the guest has stopped; the domain is still there. `death`: the domain is gone. */
  readonly type: 'shutdown' | 'death';
  readonly domid: number;
  readonly uuid: string;
  /** Of a shutdown. */
  readonly reason?: ShutdownReason;
}

/** As {@link DomainEvent}, but what the addon sends in place of events that it has not kept. */
interface Lost {
  readonly number: number;
  readonly type: 'lost';
}

export async function* domainEvents(
  requests: LibxlRequests,
  { after, signal }: { readonly after?: number; readonly signal?: AbortSignal },
): AsyncIterableIterator<DomainEvent> {
  const from = after ?? (await requests.request<number>('eventPosition'));
  const waiting: (DomainEvent | Lost)[] = [];
  let wake = () => {};
  const subscription = requests.addon.subscribe(from, (text) => {
    waiting.push(JSON.parse(text));
    wake();
  });
  const stop = () => wake();
  signal?.addEventListener('abort', stop);
  requests.closed.addEventListener('abort', stop);
  try {
    while (!signal?.aborted && !requests.closed.aborted) {
      const event = waiting.shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (event.type === 'lost') {
        throw new HatcheryError('EVENTS_LOST', { after: from });
      } else {
        yield event;
      }
    }
  } finally {
    requests.addon.unsubscribe(subscription);
    signal?.removeEventListener('abort', stop);
    requests.closed.removeEventListener('abort', stop);
  }
}
