/** The reference of the control API, docs/api.md, made of the operations. */
import type { TSchema } from '@sinclair/typebox';
import { ERRORS } from '../errors.js';
import { errorsOf } from './openapi.js';
import type { Example, Operation } from './operation.js';
import { OPERATIONS } from './operations.js';

const HEAD = `# The control API

Made by \`npm run docs:api\` of the schemas that validate; a test replays every example. The same as
OpenAPI 3.1 is at \`/openapi.json\` of a running server. [control.md](control.md) says how to run one, and
what tokens, events and versions are.

Every request has a token, \`Authorization: Bearer TOKEN\`, but where it says otherwise. Bodies are JSON,
with \`Content-Type: application/json\`; a blob's is \`application/octet-stream\`. Fields that are not named
here are refused. Every error is \`{code, message, requestId, details?}\`.
`;

export function reference(): string {
  const all = Object.values<Operation>(OPERATIONS);
  const tags = [...new Set(all.map(({ tag }) => tag))];
  const sections = tags.map((tag) => {
    const operations = all.filter((operation) => operation.tag === tag);
    return `## ${tag}\n\n${operations.map(describe).join('\n')}`;
  });
  return `${[HEAD, ...sections].join('\n').trimEnd()}\n`;
}

function describe(operation: Operation): string {
  const { method, path, summary, description, access, status, response, events } = operation;
  const scope = access === 'none' ? 'No token is needed.' : `Scope: \`${access}\`.`;
  const stream = events === undefined ? '' : ', server-sent events with data';
  const answer = response ?? events;
  const parts = [
    `### ${method} ${path}\n`,
    `${summary}. ${description === undefined ? '' : `${description} `}${scope}\n`,
    fields('Query', operation.query),
    fields('Body', operation.body),
    answer === undefined ? `Answers ${status}.\n` : fields(`Answers ${status}${stream}`, answer),
    `Errors: ${errorsOf(operation).map(errorText).join(', ')}.\n`,
    examples(operation),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function errorText(code: keyof typeof ERRORS): string {
  return `\`${code}\` (${ERRORS[code].status})`;
}

function fields(title: string, schema: TSchema | undefined): string {
  const rows = schema === undefined ? [] : rowsOf(schema, '');
  if (rows.length === 0) {
    return '';
  }
  const lines = rows.map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return [`${title}:\n`, '| field | type | |', '| --- | --- | --- |', ...lines, ''].join('\n');
}

function rowsOf(schema: TSchema, path: string): string[][] {
  const required = new Set((schema.required ?? []) as string[]);
  return Object.entries<TSchema>(schema.properties ?? {}).flatMap(([name, property]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const mark = required.has(name) ? '' : ', optional';
    const own = [`\`${at}\``, `${typeOf(property)}${mark}`, property.description ?? ''];
    const inner = property.items ?? property;
    const suffix = property.items === undefined ? at : `${at}[]`;
    return [own, ...(inner.properties === undefined ? [] : rowsOf(inner, suffix))];
  });
}

function typeOf(schema: TSchema): string {
  if (schema.const !== undefined) {
    return `\`${JSON.stringify(schema.const)}\``;
  }
  if (schema.anyOf !== undefined) {
    return (schema.anyOf as TSchema[]).map(typeOf).join(' or ');
  }
  switch (schema.type) {
    case 'array':
      return Array.isArray(schema.items)
        ? `[${(schema.items as TSchema[]).map(typeOf).join(', ')}]`
        : `array of ${typeOf(schema.items as TSchema)}`;
    case 'object': {
      const [value] = Object.values<TSchema>(schema.patternProperties ?? {});
      return value === undefined ? 'object' : `object of ${typeOf(value)}`;
    }
    case 'integer':
      return `integer${bounds(schema)}`;
    case undefined:
      return 'anything';
    default:
      return String(schema.type);
  }
}

function bounds({ minimum, maximum }: TSchema): string {
  return minimum === undefined && maximum === undefined
    ? ''
    : ` from ${minimum ?? '…'} to ${maximum ?? '…'}`;
}

function examples({ method, path, takesBytes, examples: all }: Operation): string {
  const lines = all.map(({ summary, params = {}, query, body, status }: Example) => {
    const concrete = path.replace(/:(\w+)/g, (_, name: string) => params[name] ?? `:${name}`);
    const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const text = takesBytes ? body : JSON.stringify(body, undefined, 2);
    const sent = body === undefined ? '' : `\n${text}`;
    return `# ${summary}: ${status}\n${method} ${concrete}${search}${sent}`;
  });
  return ['```', lines.join('\n\n'), '```', ''].join('\n');
}
