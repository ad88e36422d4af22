/** docs/api.md and /openapi.json are what the code makes of its schemas; every example is true. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import t from 'tap';
import { errorsOf } from '../../src/api/openapi.js';
import type { Operation } from '../../src/api/operation.js';
import { OPERATIONS } from '../../src/api/operations.js';
import { reference } from '../../src/api/reference.js';
import { ErrorResponse } from '../../src/api/shared-schemas.js';
import { ERRORS } from '../../src/errors.js';
import { readEvents, startControl } from '../control/control-under-test.js';
import { noDriver } from '../drivers/default-driver.js';

const page = readFileSync(fileURLToPath(new URL('../../../docs/api.md', import.meta.url)), 'utf8');
const all = Object.values<Operation>(OPERATIONS);

t.test('the page is the one that npm run docs:api writes', async (t) => {
  t.equal(page, reference());
});

t.test('operations are named once, and fail with known errors', async (t) => {
  for (const [id, operation] of Object.entries<Operation>(OPERATIONS)) {
    t.equal(operation.id, id);
    t.ok(operation.examples.length > 0, `${id} has examples`);
    for (const code of errorsOf(operation)) {
      t.ok(code in ERRORS, code);
    }
    const inPath = [...operation.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
    t.same(Object.keys(operation.params?.properties ?? {}), inPath, `${id}: its path`);
  }
});

const ajv = new Ajv({ strict: false });

t.test('every example does what it says', { skip: noDriver }, async (t) => {
  const server = await startControl({ data: `${t.testdir()}/data` });
  t.teardown(() => server.close());
  /** What stands for `{instance}` and its like: what earlier examples have made. */
  const made = new Map<string, string>();
  const filled = (text: string) =>
    text.replace(/\{(instance|token|code|request)\}/g, (_, name: string) => made.get(name) ?? name);
  for (const operation of all) {
    for (const { summary, params = {}, query, body, status } of operation.examples) {
      await t.test(`${operation.id}: ${summary}`, async (t) => {
        const path = operation.path.replace(/:(\w+)/g, (_, name) => filled(params[name] ?? ''));
        const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
        const ending = new AbortController();
        const sent = operation.takesBytes
          ? body
          : body === undefined
            ? ''
            : filled(JSON.stringify(body));
        const type = operation.takesBytes ? 'application/octet-stream' : 'application/json';
        const response = await fetch(`${server.url}${path}${search}`, {
          method: operation.method,
          signal: ending.signal,
          headers: {
            ...(operation.access === 'none' ? {} : { authorization: `Bearer ${server.token}` }),
            ...(body === undefined ? {} : { 'content-type': type }),
          },
          ...(body === undefined ? {} : { body: sent as string }),
        });
        if (status < 400 && operation.events !== undefined) {
          t.equal(response.status, status);
          const isEvent = ajv.compile(operation.events);
          if (operation.id === 'instanceEvents') {
            const first = await readEvents(response).next();
            t.ok(isEvent(first.value?.data), JSON.stringify(isEvent.errors));
          }
          ending.abort();
          return;
        }
        const text = await response.text();
        t.equal(response.status, status, text);
        const answer = text === '' ? undefined : JSON.parse(text);
        const schema = status >= 400 ? ErrorResponse : operation.response;
        if (schema === undefined) {
          t.equal(text, '');
        } else {
          const isValid = ajv.compile(schema);
          t.ok(isValid(answer), JSON.stringify(isValid.errors));
        }
        if (status >= 400) {
          t.ok(errorsOf(operation).includes(answer.code), `${answer.code} is documented`);
        }
        if (operation.id === 'spawnInstance' && status === 201) {
          made.set('instance', made.get('instance') ?? answer.id);
        }
        if (operation.id === 'requestInstance') {
          made.set('request', answer.requestId);
        }
        if (operation.id === 'createToken' && status === 201) {
          made.set('token', answer.id);
        }
        if (operation.id === 'createLink') {
          made.set('code', answer.code);
        }
      });
    }
  }

  await t.test('/openapi.json', async (t) => {
    const response = await fetch(`${server.url}/openapi.json`);
    // biome-ignore lint/suspicious/noExplicitAny: it is looked at, not typed.
    const description = (await response.json()) as any;
    t.match(description, { openapi: '3.1.0', info: { title: 'Hatchery' } });
    const named = Object.entries<Record<string, { operationId: string }>>(
      description.paths,
    ).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [operationId, method, path]),
    );
    t.same(
      named.sort(),
      all
        .map(({ id, method, path }) => [id, method.toLowerCase(), path.replace(/:(\w+)/g, '{$1}')])
        .sort(),
    );
    for (const path of Object.values<Record<string, { responses: object }>>(description.paths)) {
      for (const { responses } of Object.values(path)) {
        t.ok(Object.keys(responses).every((status) => /^[2-5]\d\d$/.test(status)));
      }
    }
    const text = JSON.stringify(description);
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = pointer
        .split('/')
        .reduce((at: typeof description, step) => at?.[step], description);
      t.type(target, 'object', pointer);
    }
  });
});
