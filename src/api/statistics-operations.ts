/** What was counted, and how full the server is. */
import { Type } from '@sinclair/typebox';
import { operation } from './operation.js';
import { Closed } from './shared-schemas.js';

const Whole = (description?: string) =>
  Type.Number({ minimum: 0, ...(description === undefined ? {} : { description }) });

const Outcomes = (description: string) =>
  Closed({ served: Whole(), refused: Whole(), killed: Whole(), crashed: Whole() }, { description });

const Histogram = Closed({
  count: Whole(),
  sumMilliseconds: Whole(),
  buckets: Type.Array(Whole(), {
    description: 'How many are in each bucket and in none below it; one more than `bucketBounds`.',
  }),
});

const Histograms = (description: string) => Type.Record(Type.String(), Histogram, { description });

const OfFunction = Closed({
  name: Type.Optional(
    Type.String({ description: 'Without: requests to no function, and to instances of images.' }),
  ),
  outcomes: Outcomes('Of its requests.'),
  phases: Histograms('As above: `total`, `guest`, and what else there was.'),
  usage: Closed(
    {
      cpuMicroseconds: Whole('Of its guests.'),
      peakMemoryBytes: Whole('The most that one request had.'),
      dirtyMemoryBytes: Whole('Memory that its guests have written.'),
      bytesIn: Whole(),
      bytesOut: Whole(),
      hostCalls: Whole(),
    },
    { description: 'Of all its requests, but for the peak.' },
  ),
  pool: Closed(
    {
      running: Whole('Instances that serve.'),
      ready: Whole('Virtual machines at their snapshot.'),
      waiting: Whole('Requests in its line.'),
    },
    { description: 'Now.' },
  ),
});

export const getStatistics = operation({
  id: 'getStatistics',
  method: 'GET',
  path: '/v1/statistics',
  tag: 'Statistics',
  summary: 'What was counted since the start, and how full the server is',
  description:
    'Counts only grow, so the difference of two readings says what was between them. Workers are asked ' +
    'for it, at most each 200 ms; one that does not answer within 500 ms is taken as it was.',
  access: 'read',
  status: 200,
  response: Closed({
    at: Type.Number({ description: 'Milliseconds since 1970.' }),
    startedAt: Type.Number({ description: 'The same: since when is counted.' }),
    bucketBounds: Type.Array(Type.Number(), {
      description:
        'Upper bounds in milliseconds, ascending, each part of its bucket; the last bucket of a ' +
        'histogram is what lies above all.',
    }),
    outcomes: Outcomes('Of all requests.'),
    phases: Histograms(
      'By phase: accept, queue, spawn, guest, reply, end, load, create, boot, init; `total` is from a ' +
        "request's arrival to the end of its reply.",
    ),
    functions: Type.Array(OfFunction),
    queue: Closed({ waiting: Whole('Requests, of all functions.'), limit: Whole() }),
    instances: Closed({
      running: Whole('Those that serve one request each.'),
      spawned: Whole('Those of the spawn API.'),
      limit: Whole('How many may run now.'),
    }),
    workers: Type.Array(Closed({ pid: Type.Integer(), residentBytes: Whole() }), {
      description: 'Where there are no workers: the process that does everything.',
    }),
    host: Closed({
      totalBytes: Whole('Memory.'),
      availableBytes: Whole(),
      processors: Whole(),
    }),
  }),
  errors: [],
  examples: [{ summary: 'Now', status: 200 }],
});
