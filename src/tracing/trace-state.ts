/** The `tracestate` of a trace, as it came: nothing of it is ours to change. */
import type { TraceState } from '@opentelemetry/api';

export function traceStateOf(text: string): TraceState {
  const state: TraceState = {
    get: (key) => {
      const entry = text.split(',').find((part) => part.trim().startsWith(`${key}=`));
      return entry?.trim().slice(key.length + 1);
    },
    set: () => state,
    unset: () => state,
    serialize: () => text,
  };
  return state;
}
