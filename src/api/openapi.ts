/** The control API as OpenAPI 3.1, made of the operations' own schemas. */
import { ERRORS, type ErrorCode } from '../errors.js';
import type { Example, Operation } from './operation.js';
import { OPERATIONS } from './operations.js';
import { ErrorResponse } from './shared-schemas.js';

/** Errors that any operation with a token may answer with. */
const OF_ALL: readonly ErrorCode[] = ['HOST_REFUSED', 'ORIGIN_REFUSED', 'RATE_LIMITED', 'INTERNAL'];
const WITH_TOKEN: readonly ErrorCode[] = ['TOKEN_MISSING', 'TOKEN_INVALID', 'SCOPE_MISSING'];
const WITH_INPUT: readonly ErrorCode[] = ['CONFIGURATION_INVALID', 'INVALID_ARGUMENT'];
const WITH_BODY: readonly ErrorCode[] = [
  'CONTENT_TYPE_UNSUPPORTED',
  'REQUEST_BODY_TOO_LARGE',
  'REQUEST_TIMEOUT',
];

const WITH_BYTES: readonly ErrorCode[] = ['CONTENT_TYPE_UNSUPPORTED', 'REQUEST_TIMEOUT'];

/** All errors of an operation. */
export function errorsOf(operation: Operation): ErrorCode[] {
  const { access, params, query, body, takesBytes, errors } = operation;
  const hasInput = params !== undefined || query !== undefined || body !== undefined;
  const ofBody = takesBytes ? WITH_BYTES : body === undefined ? [] : WITH_BODY;
  return [
    ...new Set([
      ...errors,
      ...(hasInput ? WITH_INPUT : []),
      ...ofBody,
      ...(access === 'none' ? [] : WITH_TOKEN),
      ...OF_ALL,
    ]),
  ];
}

/** @param version of the package. */
export function openApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of Object.values<Operation>(OPERATIONS)) {
    const path = operation.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hatchery',
      version,
      description: 'Functions and instances, each request in a virtual machine of its own.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(Object.values(OPERATIONS).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: plain(ErrorResponse) },
    },
  };
}

function describe(operation: Operation): object {
  const { id, tag, summary, description, access, status, examples } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(access === 'none' ? { security: [] } : { 'x-scope': access }),
    parameters: parametersOf(operation),
    ...bodyOf(operation),
    responses: { [status]: success(operation), ...failures(operation) },
    'x-examples': examples,
  };
}

function parametersOf({ params, query }: Operation): object[] {
  const all = (where: 'path' | 'query', schema: Operation['params']) =>
    Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
      name,
      in: where,
      required: schema?.required?.includes(name) ?? false,
      schema: plain(property),
    }));
  return [...all('path', params), ...all('query', query)];
}

function bodyOf({ body, takesBytes, examples }: Operation): object {
  const content = takesBytes
    ? { 'application/octet-stream': {} }
    : { 'application/json': { schema: plain(body ?? {}), examples: bodiesOf(examples) } };
  const isSent = takesBytes === true || body !== undefined;
  return isSent ? { requestBody: { required: true, content } } : {};
}

function bodiesOf(examples: readonly Example[]): object {
  const named = examples
    .filter(({ body }) => body !== undefined)
    .map(({ summary, body }) => [summary, { value: body }] as const);
  return Object.fromEntries(named);
}

function success({ response, events, summary }: Operation): object {
  if (events !== undefined) {
    const schema = { type: 'string', description: 'Each `data:` is an object of x-data.' };
    return {
      description: summary,
      content: { 'text/event-stream': { schema, 'x-data': plain(events) } },
    };
  }
  return response === undefined
    ? { description: 'Done.' }
    : { description: summary, content: { 'application/json': { schema: plain(response) } } };
}

function failures(operation: Operation): object {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const schema = { $ref: '#/components/schemas/Error' };
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      { description: codes.join(', '), content: { 'application/json': { schema } } },
    ]),
  );
}

/** Without the marks of the library that made it. */
function plain(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema));
}
