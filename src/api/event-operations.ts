/** What happened, as a stream. */
import { Type } from '@sinclair/typebox';
import { operation } from './operation.js';
import { Closed, Phases, UsageFacts } from './shared-schemas.js';

const EVENT_TYPES = [
  ...(['deployed', 'removed', 'spawned', 'ready', 'served'] as const),
  ...(['refused', 'killed', 'crashed', 'omitted', 'lost'] as const),
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

const EVENT_TYPE = Type.Union(
  EVENT_TYPES.map((name) => Type.Literal(name)),
  {
    description:
      'deployed and removed: a function; spawned and ready: an instance of the spawn API; served, ' +
      'refused (no instance had it), killed (why: a limit, or by whom) and crashed (where): a request ' +
      'or an instance; omitted: so many more, when more happens than is told; lost: so many events ' +
      'between the one that was asked for and the next are not kept any more.',
  },
);

export const InstanceEvent = Closed({
  type: Type.Unsafe<EventType>(EVENT_TYPE),
  at: Type.Number({ description: 'Milliseconds since 1970.' }),
  function: Type.Optional(Type.String()),
  version: Type.Optional(Type.Integer()),
  instance: Type.Optional(Type.String()),
  requestId: Type.Optional(Type.String()),
  method: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer()),
  code: Type.Optional(Type.String({ description: 'Of the error.' })),
  reason: Type.Optional(Type.String()),
  where: Type.Optional(Type.String({ description: 'The place of a crash, or its trace.' })),
  count: Type.Optional(Type.Integer({ description: 'Of events that are not told.' })),
  timeline: Type.Optional(Phases),
  usage: Type.Optional(UsageFacts),
});

/** How many crashes are remembered. */
export const KEPT_CRASHES = 100;

export const listCrashes = operation({
  id: 'listCrashes',
  method: 'GET',
  path: '/v1/crashes',
  tag: 'Events',
  summary: 'The last crashes, the oldest first, with their traces',
  description:
    `The last ${KEPT_CRASHES} of those events that have the type crashed, in memory; they are kept when ` +
    'many other events have come since.',
  access: 'read',
  status: 200,
  response: Closed({ crashes: Type.Array(InstanceEvent) }),
  errors: [],
  examples: [{ summary: 'All that are kept', status: 200 }],
});

export const followEvents = operation({
  id: 'followEvents',
  method: 'GET',
  path: '/v1/events',
  tag: 'Events',
  summary: 'What happens, from now on',
  description:
    'Server-sent events. With the header Last-Event-ID the stream goes on behind that event; the last ' +
    '10,000 are kept in memory. A reader that is too slow is cut off, and may resume.',
  access: 'read',
  query: Closed({
    function: Type.Optional(Type.String({ description: 'Only of that function.' })),
  }),
  status: 200,
  events: InstanceEvent,
  errors: ['STREAMS_EXHAUSTED'],
  examples: [{ summary: 'All', status: 200 }],
});
