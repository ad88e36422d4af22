/** The operations on functions. */
import { Type } from '@sinclair/typebox';
import { HOST_PATTERN, MAX_POOL_SIZE, WORD_PATTERN } from '../fabric/definition.js';
import {
  DEFAULT_LIMITS,
  MAX_COUNT,
  MAX_HEAD_BYTES,
  MAX_MILLISECONDS,
  MEMORY_BYTES,
} from '../fabric/limits.js';
import { IMAGE_REFERENCE_PATTERN } from '../image/store/image-name.js';
import { operation } from './operation.js';
import { POSTED_ITEM, REQUEST_BYTES, ReplyBody, RequestBody } from './request-schemas.js';
import { Closed, Count, FunctionName, LogLine, Phases, Strategy, Time } from './shared-schemas.js';

const MAX_BODY_BYTES = 1 << 30;
const Params = Closed({ name: FunctionName });

const milliseconds = (name: keyof typeof DEFAULT_LIMITS) =>
  limit(name, 'milliseconds', 1, MAX_MILLISECONDS);

function limit(name: keyof typeof DEFAULT_LIMITS, unit: string, minimum: number, maximum: number) {
  const description = `${unit}; default ${DEFAULT_LIMITS[name]}`;
  return Type.Optional(Type.Integer({ minimum, maximum, description }));
}

export const Limits = Closed({
  wallMilliseconds: milliseconds('wallMilliseconds'),
  cpuMilliseconds: milliseconds('cpuMilliseconds'),
  startupMilliseconds: milliseconds('startupMilliseconds'),
  memoryBytes: Type.Optional(
    Type.Integer({
      minimum: MEMORY_BYTES.min,
      maximum: MEMORY_BYTES.max,
      multipleOf: MEMORY_BYTES.step,
      description: `bytes; default ${DEFAULT_LIMITS.memoryBytes}`,
    }),
  ),
  maxRequestHeadBytes: limit('maxRequestHeadBytes', 'bytes', 1, MAX_HEAD_BYTES),
  maxRequestBodyBytes: limit('maxRequestBodyBytes', 'bytes', 0, MAX_BODY_BYTES),
  maxResponseHeadBytes: limit('maxResponseHeadBytes', 'bytes', 1, MAX_HEAD_BYTES),
  maxResponseBodyBytes: limit('maxResponseBodyBytes', 'bytes', 0, MAX_BODY_BYTES),
  maxHeaders: limit('maxHeaders', 'header lines', 1, MAX_COUNT),
  maxHostCalls: limit('maxHostCalls', 'host calls', 0, MAX_COUNT),
  maxHostCallsInFlight: limit('maxHostCallsInFlight', 'host calls', 1, MAX_COUNT),
  maxHostCallBytes: limit('maxHostCallBytes', 'bytes', 0, MAX_BODY_BYTES),
  hostCallMilliseconds: milliseconds('hostCallMilliseconds'),
  maxLogBytes: limit('maxLogBytes', 'bytes', 0, MAX_BODY_BYTES),
});

const Variables = Type.Record(Type.String({ minLength: 1 }), Type.String());

const Source = Closed(
  {
    entry: Type.String({ minLength: 1, description: 'The path of the file that is the function.' }),
    files: Type.Record(Type.String({ minLength: 1 }), Type.String(), {
      description:
        'Paths, relative and with slashes, and their text. Imports are looked up here only.',
    }),
  },
  { description: 'TypeScript or JavaScript, to be bundled by the server.' },
);

const Bundle = Closed(
  {
    code: Type.String({ description: 'One ES module, without imports.' }),
    map: Type.Optional(Type.String({ description: 'Its source map, version 3, as JSON.' })),
  },
  { description: 'JavaScript that is bundled already.' },
);

const Script = Type.String({ description: 'A script in Lua, which the image `lua` runs.' });

const Settings = {
  env: Type.Optional(Variables),
  limits: Type.Optional(Limits),
  allowFetch: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: 'Hosts, addresses and networks that its `fetch` may reach. Default: none.',
    }),
  ),
  strategy: Type.Optional(Strategy),
  poolSize: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_POOL_SIZE,
      description: 'Virtual machines kept ready, in each worker. Default: the strategy’s.',
    }),
  ),
  warmUp: Type.Optional(
    Type.Boolean({ description: 'Lets the handler answer one request before the snapshot.' }),
  ),
  hosts: Type.Optional(
    Type.Array(Type.String({ pattern: HOST_PATTERN }), {
      maxItems: 100,
      description: 'Host names whose requests go to it.',
    }),
  ),
  commandLine: Type.Optional(
    Type.Array(Type.String({ pattern: WORD_PATTERN }), {
      maxItems: 100,
      description: 'Arguments for an image other than js; those that are NAME=VALUE configure it.',
    }),
  ),
};

export const ImageName = Type.String({
  pattern: IMAGE_REFERENCE_PATTERN,
  description:
    'The name of an image of Hatchery, the digest of one that was sent, or the name or digest of one ' +
    'that the user of the server has stored.',
});

export const DeployBody = Closed({
  source: Type.Optional(Source),
  bundle: Type.Optional(Bundle),
  script: Type.Optional(Script),
  image: Type.Optional(ImageName),
  secrets: Type.Optional(
    Type.Record(
      Type.String({ minLength: 1 }),
      Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
      {
        description:
          'As env, but encrypted at rest, and never shown. null keeps the value that the current ' +
          'version has.',
      },
    ),
  ),
  ...Settings,
});

export const FunctionFacts = Closed({
  name: FunctionName,
  state: Type.Union([Type.Literal('serving'), Type.Literal('failed')], {
    description: '`failed`: it was kept, but could not be started again when the server started.',
  }),
  problem: Type.Optional(Type.String({ description: 'Why it failed.' })),
  version: Type.Integer({ minimum: 1 }),
  versions: Type.Array(Closed({ version: Type.Integer({ minimum: 1 }), createdAt: Time })),
  image: Type.String(),
  ...Settings,
  /** Not their values. */
  secrets: Type.Array(Type.String(), { description: 'The names of its secrets.' }),
  routes: Type.Array(Type.String(), { description: 'URLs of the front that go to it.' }),
});

const Deployed = Closed({
  name: FunctionName,
  version: Type.Integer({ minimum: 1 }),
  strategy: Strategy,
  coldStart: Phases,
  milliseconds: Type.Number({ description: 'What all of it took.' }),
  routes: Type.Array(Type.String()),
});

const HELLO = {
  entry: 'hello.ts',
  files: { 'hello.ts': "export default { fetch: () => new Response('hello') };" },
};

export const deployFunction = operation({
  id: 'deployFunction',
  method: 'PUT',
  path: '/v1/functions/:name',
  tag: 'Functions',
  summary: 'Deploy a function, or a new version of it',
  description:
    'Exactly one of source, bundle, script and image is given. It is checked, source is bundled, then it is ' +
    'started once and stored; then it answers, in all workers, from one moment on. Where any of that ' +
    'fails, the version before stays.',
  access: 'deploy',
  params: Params,
  body: DeployBody,
  maxBodyBytes: 32 * 1024 * 1024,
  status: 200,
  response: Deployed,
  errors: [
    'CONFIGURATION_INVALID',
    'BUNDLE_FAILED',
    'STARTUP_FAILED',
    'STARTUP_PENDING',
    'STARTUP_TIMEOUT',
    'MEMORY_EXCEEDED',
    'IMAGE_MISSING',
    'IMAGE_INVALID',
    'HOST_TAKEN',
    'DATA_UNUSABLE',
  ],
  examples: [
    { summary: 'Source', params: { name: 'hello' }, body: { source: HELLO }, status: 200 },
    {
      summary: 'A bundle, with settings',
      params: { name: 'hello' },
      body: {
        bundle: { code: 'export default { fetch: (_, env) => new Response(env.GREETING) };' },
        env: { GREETING: 'hello again' },
        secrets: { API_KEY: 'not shown by anything' },
        limits: { wallMilliseconds: 2000, memoryBytes: 33554432 },
        hosts: ['hello.example.com'],
      },
      status: 200,
    },
    {
      summary: 'A script in Lua',
      params: { name: 'lua' },
      body: { script: 'function handle(request) return "hello" end' },
      status: 200,
    },
    { summary: 'An image', params: { name: 'image' }, body: { image: 'hello' }, status: 200 },
    {
      summary: 'One that does not parse',
      params: { name: 'hello' },
      body: { source: { entry: 'a.ts', files: { 'a.ts': 'export default {' } } },
      status: 422,
    },
  ],
});

export const listFunctions = operation({
  id: 'listFunctions',
  method: 'GET',
  path: '/v1/functions',
  tag: 'Functions',
  summary: 'List all functions',
  access: 'read',
  status: 200,
  response: Closed({ functions: Type.Array(FunctionFacts) }),
  errors: [],
  examples: [{ summary: 'All', status: 200 }],
});

export const getFunction = operation({
  id: 'getFunction',
  method: 'GET',
  path: '/v1/functions/:name',
  tag: 'Functions',
  summary: 'Show a function, with its versions',
  access: 'read',
  params: Params,
  status: 200,
  response: FunctionFacts,
  errors: ['FUNCTION_MISSING'],
  examples: [
    { summary: 'One that there is', params: { name: 'hello' }, status: 200 },
    { summary: 'One that there is not', params: { name: 'nobody' }, status: 404 },
  ],
});

export const rollbackFunction = operation({
  id: 'rollbackFunction',
  method: 'POST',
  path: '/v1/functions/:name/rollback',
  tag: 'Functions',
  summary: 'Let an earlier version answer again',
  access: 'deploy',
  params: Params,
  body: Closed({
    version: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Default: the one before the current one.' }),
    ),
  }),
  status: 200,
  response: Deployed,
  errors: ['FUNCTION_MISSING', 'VERSION_MISSING', 'HOST_TAKEN', 'STARTUP_FAILED', 'DATA_UNUSABLE'],
  examples: [
    { summary: 'The one before', params: { name: 'hello' }, body: {}, status: 200 },
    { summary: 'One by number', params: { name: 'hello' }, body: { version: 2 }, status: 200 },
    { summary: 'None', params: { name: 'hello' }, body: { version: 99 }, status: 404 },
  ],
});

export const requestFunction = operation({
  id: 'requestFunction',
  method: 'POST',
  path: '/v1/functions/:name/requests',
  tag: 'Functions',
  summary: 'Send a function one request, to try it',
  description:
    'An instance of its own answers it, as one that comes by the front, which is the quicker way. Bodies ' +
    'go as a whole; that of the answer may have 8 MiB, whatever the limits of the function are.',
  access: 'spawn',
  params: Params,
  body: RequestBody('NAME.localhost'),
  maxBodyBytes: REQUEST_BYTES,
  status: 200,
  response: ReplyBody,
  errors: [
    'FUNCTION_MISSING',
    'OVERLOADED',
    'FUNCTION_THREW',
    'FUNCTION_CRASHED',
    'DEADLINE_EXCEEDED',
    'CPU_EXCEEDED',
    'MEMORY_EXCEEDED',
    'REQUEST_HEAD_TOO_LARGE',
    'RESPONSE_INVALID',
    'RESPONSE_BODY_TOO_LARGE',
    'WORKER_DIED',
    'SPAWNER_DIED',
  ],
  examples: [
    { summary: 'GET /', params: { name: 'hello' }, body: {}, status: 200 },
    {
      summary: 'POST with a header and a body',
      params: { name: 'hello' },
      body: POSTED_ITEM,
      status: 200,
    },
    { summary: 'One that there is not', params: { name: 'nobody' }, body: {}, status: 404 },
  ],
});

export const functionLogs = operation({
  id: 'functionLogs',
  method: 'GET',
  path: '/v1/functions/:name/logs',
  tag: 'Functions',
  summary: 'What a function logged lately, and how it failed',
  description:
    'Kept in memory only, the last 1,000 lines or 128 KiB of each function. Secrets are taken out.',
  access: 'read',
  params: Params,
  query: Closed({ tail: Type.Optional(Count(1_000, 'Lines at most. Default: 100.')) }),
  status: 200,
  response: Closed({ lines: Type.Array(LogLine) }),
  errors: ['FUNCTION_MISSING'],
  examples: [{ summary: 'The last ones', params: { name: 'hello' }, status: 200 }],
});

export const followFunctionLogs = operation({
  id: 'followFunctionLogs',
  method: 'GET',
  path: '/v1/functions/:name/logs/follow',
  tag: 'Functions',
  summary: 'The same, and what is logged from then on',
  access: 'read',
  params: Params,
  query: Closed({ tail: Type.Optional(Count(1_000, 'Earlier lines at most. Default: 100.')) }),
  status: 200,
  events: LogLine,
  errors: ['FUNCTION_MISSING', 'STREAMS_EXHAUSTED'],
  examples: [
    { summary: 'From now on', params: { name: 'hello' }, query: { tail: '0' }, status: 200 },
  ],
});

export const removeFunction = operation({
  id: 'removeFunction',
  method: 'DELETE',
  path: '/v1/functions/:name',
  tag: 'Functions',
  summary: 'Remove a function with all its versions',
  access: 'deploy',
  params: Params,
  status: 204,
  errors: ['FUNCTION_MISSING', 'DATA_UNUSABLE'],
  examples: [
    { summary: 'One that there is', params: { name: 'image' }, status: 204 },
    { summary: 'One that there is not', params: { name: 'nobody' }, status: 404 },
  ],
});
