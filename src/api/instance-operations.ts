/** The operations on instances: the spawn API. */
import { Type } from '@sinclair/typebox';
import { WORD_PATTERN } from '../fabric/definition.js';
import { DEFAULT_LIMITS, MAX_MILLISECONDS, MEMORY_BYTES } from '../fabric/limits.js';
import { InstanceEvent } from './event-operations.js';
import { ImageName } from './function-operations.js';
import { operation } from './operation.js';
import { POSTED_ITEM, REQUEST_BYTES, ReplyBody, RequestBody } from './request-schemas.js';
import { Closed, Count, FunctionName, LogLine, Phases, Strategy, Time } from './shared-schemas.js';

const InstanceId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' });
const Params = Closed({ id: InstanceId });

/** Longest life and longest idleness of an instance. */
export const MAX_LIFETIME_MILLISECONDS = MAX_MILLISECONDS;
export const DEFAULT_IDLE_MILLISECONDS = 300_000;

const SpawnBody = Closed({
  function: Type.Optional(FunctionName),
  image: Type.Optional(ImageName),
  commandLine: Type.Optional(
    Type.Array(Type.String({ pattern: WORD_PATTERN }), {
      maxItems: 100,
      description: 'Arguments for an image other than js; those that are NAME=VALUE configure it.',
    }),
  ),
  memoryBytes: Type.Optional(
    Type.Integer({
      minimum: MEMORY_BYTES.min,
      maximum: MEMORY_BYTES.max,
      multipleOf: MEMORY_BYTES.step,
      description: `Default: the function’s, or ${DEFAULT_LIMITS.memoryBytes}.`,
    }),
  ),
  shutdownAfterMilliseconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LIFETIME_MILLISECONDS,
      description: 'It is killed so long after it is ready, whatever it does. Default: never.',
    }),
  ),
  idleMilliseconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LIFETIME_MILLISECONDS,
      description: `It is killed when it had no request for so long. Default: ${DEFAULT_IDLE_MILLISECONDS}.`,
    }),
  ),
  wait: Type.Optional(
    Type.Boolean({ description: 'Answer when it is ready, or has failed. Default: true.' }),
  ),
});

export const InstanceFacts = Closed({
  id: InstanceId,
  state: Type.Union([Type.Literal('starting'), Type.Literal('ready'), Type.Literal('ended')], {
    description: 'What has ended is kept for a while, the last 500 of them.',
  }),
  function: Type.Optional(FunctionName),
  image: Type.Optional(Type.String()),
  driver: Type.String(),
  strategy: Type.Optional(Strategy),
  createdAt: Time,
  readyAt: Type.Optional(Time),
  endedAt: Type.Optional(Time),
  reason: Type.Optional(Type.String({ description: 'Why it has ended.' })),
  requests: Type.Integer({ description: 'That it was sent.' }),
  timeline: Phases,
});

export const spawnInstance = operation({
  id: 'spawnInstance',
  method: 'POST',
  path: '/v1/instances',
  tag: 'Instances',
  summary: 'Spawn an instance that lives until it is killed',
  description: 'Of a function or of an image: exactly one is given.',
  access: 'spawn',
  body: SpawnBody,
  status: 201,
  response: InstanceFacts,
  errors: [
    'FUNCTION_MISSING',
    'IMAGE_MISSING',
    'CONFIGURATION_INVALID',
    'OVERLOADED',
    'DRIVER_FAILED',
    'STARTUP_FAILED',
    'STARTUP_TIMEOUT',
    'MEMORY_EXCEEDED',
  ],
  examples: [
    { summary: 'Of a function', body: { function: 'hello' }, status: 201 },
    {
      summary: 'Of an image, for a minute at most',
      body: { image: 'hello', commandLine: ['greeting=hi'], shutdownAfterMilliseconds: 60000 },
      status: 201,
    },
    { summary: 'Of nothing', body: {}, status: 400 },
  ],
});

export const listInstances = operation({
  id: 'listInstances',
  method: 'GET',
  path: '/v1/instances',
  tag: 'Instances',
  summary: 'List the instances that live',
  access: 'read',
  query: Closed({
    function: Type.Optional(FunctionName),
    ended: Type.Optional(Type.Boolean({ description: 'Those that have ended, too.' })),
  }),
  status: 200,
  response: Closed({ instances: Type.Array(InstanceFacts) }),
  errors: [],
  examples: [
    { summary: 'All that live', status: 200 },
    { summary: 'All of a function', query: { function: 'hello', ended: 'true' }, status: 200 },
  ],
});

export const getInstance = operation({
  id: 'getInstance',
  method: 'GET',
  path: '/v1/instances/:id',
  tag: 'Instances',
  summary: 'Show an instance',
  access: 'read',
  params: Params,
  query: Closed({
    waitMilliseconds: Type.Optional(
      Count(60_000, 'Wait so long for it to be ready, if it is not yet. Default: 0.'),
    ),
  }),
  status: 200,
  response: InstanceFacts,
  errors: ['INSTANCE_UNKNOWN'],
  examples: [
    {
      summary: 'When it is ready',
      params: { id: '{instance}' },
      query: { waitMilliseconds: '5000' },
      status: 200,
    },
    { summary: 'One that there is not', params: { id: 'nobody' }, status: 404 },
  ],
});

export const requestInstance = operation({
  id: 'requestInstance',
  method: 'POST',
  path: '/v1/instances/:id/requests',
  tag: 'Instances',
  summary: 'Send an instance a request',
  description:
    'One after the other. Bodies go as a whole; that of the answer may have 8 MiB, whatever the limits ' +
    'of the function are.',
  access: 'spawn',
  params: Params,
  body: RequestBody('instance'),
  maxBodyBytes: REQUEST_BYTES,
  status: 200,
  response: ReplyBody,
  errors: [
    'INSTANCE_UNKNOWN',
    'INSTANCE_GONE',
    'OVERLOADED',
    'FUNCTION_THREW',
    'FUNCTION_CRASHED',
    'DEADLINE_EXCEEDED',
    'CPU_EXCEEDED',
    'RESPONSE_BODY_TOO_LARGE',
    'INVALID_ARGUMENT',
  ],
  examples: [
    { summary: 'GET /', params: { id: '{instance}' }, body: {}, status: 200 },
    {
      summary: 'POST with a body',
      params: { id: '{instance}' },
      body: POSTED_ITEM,
      status: 200,
    },
  ],
});

export const instanceLogs = operation({
  id: 'instanceLogs',
  method: 'GET',
  path: '/v1/instances/:id/logs',
  tag: 'Instances',
  summary: 'What an instance logged lately',
  access: 'read',
  params: Params,
  query: Closed({ tail: Type.Optional(Count(1_000, 'Lines at most. Default: 100.')) }),
  status: 200,
  response: Closed({ lines: Type.Array(LogLine) }),
  errors: ['INSTANCE_UNKNOWN'],
  examples: [{ summary: 'The last ones', params: { id: '{instance}' }, status: 200 }],
});

export const followInstanceLogs = operation({
  id: 'followInstanceLogs',
  method: 'GET',
  path: '/v1/instances/:id/logs/follow',
  tag: 'Instances',
  summary: 'The same, and what it logs from then on, to its end',
  access: 'read',
  params: Params,
  query: Closed({ tail: Type.Optional(Count(1_000, 'Earlier lines at most. Default: 100.')) }),
  status: 200,
  events: LogLine,
  errors: ['INSTANCE_UNKNOWN', 'STREAMS_EXHAUSTED'],
  examples: [{ summary: 'From now on', params: { id: '{instance}' }, status: 200 }],
});

export const instanceEvents = operation({
  id: 'instanceEvents',
  method: 'GET',
  path: '/v1/instances/:id/events',
  tag: 'Instances',
  summary: 'What happens to an instance, from the oldest event that is kept, to its end',
  access: 'read',
  params: Params,
  status: 200,
  events: InstanceEvent,
  errors: ['INSTANCE_UNKNOWN', 'STREAMS_EXHAUSTED'],
  examples: [{ summary: 'All', params: { id: '{instance}' }, status: 200 }],
});

export const killInstance = operation({
  id: 'killInstance',
  method: 'DELETE',
  path: '/v1/instances/:id',
  tag: 'Instances',
  summary: 'Kill an instance, whatever it does',
  access: 'spawn',
  params: Params,
  status: 204,
  errors: ['INSTANCE_UNKNOWN', 'INSTANCE_GONE'],
  examples: [
    { summary: 'One that lives', params: { id: '{instance}' }, status: 204 },
    { summary: 'One that there is not', params: { id: 'nobody' }, status: 404 },
  ],
});
