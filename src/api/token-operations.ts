/** The operations on tokens and links. */
import { Type } from '@sinclair/typebox';
import { operation } from './operation.js';
import { Closed, Time } from './shared-schemas.js';

const SCOPES = ['read', 'deploy', 'spawn', 'tokens'] as const;
export type ScopeName = (typeof SCOPES)[number];

const Scopes = Type.Array(
  Type.Unsafe<ScopeName>(Type.Union(SCOPES.map((scope) => Type.Literal(scope)))),
  { minItems: 1, uniqueItems: true },
);

const TokenFacts = Closed({
  id: Type.String(),
  name: Type.String(),
  scopes: Scopes,
  createdAt: Time,
  expiresAt: Type.Optional(Time),
});

const NewToken = Closed({
  ...TokenFacts.properties,
  token: Type.String({ description: 'It is shown this once.' }),
});

export const createToken = operation({
  id: 'createToken',
  method: 'POST',
  path: '/v1/tokens',
  tag: 'Tokens',
  summary: 'Make a token',
  access: 'tokens',
  body: Closed({
    name: Type.String({ minLength: 1, maxLength: 100, description: 'What you call it.' }),
    scopes: Scopes,
    expiresInSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 366 * 86_400, description: 'Default: never.' }),
    ),
  }),
  status: 201,
  response: NewToken,
  errors: [],
  examples: [
    {
      summary: 'For a build server',
      body: { name: 'ci', scopes: ['deploy'], expiresInSeconds: 86400 },
      status: 201,
    },
    { summary: 'A scope that there is not', body: { name: 'x', scopes: ['all'] }, status: 400 },
  ],
});

export const listTokens = operation({
  id: 'listTokens',
  method: 'GET',
  path: '/v1/tokens',
  tag: 'Tokens',
  summary: 'List the tokens, without their text',
  access: 'tokens',
  status: 200,
  response: Closed({ tokens: Type.Array(TokenFacts) }),
  errors: [],
  examples: [{ summary: 'All', status: 200 }],
});

export const removeToken = operation({
  id: 'removeToken',
  method: 'DELETE',
  path: '/v1/tokens/:id',
  tag: 'Tokens',
  summary: 'Remove a token; its streams end',
  access: 'tokens',
  params: Closed({ id: Type.String({ pattern: '^[0-9a-f]{12}$' }) }),
  status: 204,
  errors: ['TOKEN_UNKNOWN'],
  examples: [
    { summary: 'One that there is', params: { id: '{token}' }, status: 204 },
    { summary: 'One that there is not', params: { id: '000000000000' }, status: 404 },
  ],
});

export const createLink = operation({
  id: 'createLink',
  method: 'POST',
  path: '/v1/links',
  tag: 'Tokens',
  summary: 'Make a code that can be turned into a token once, within two minutes',
  access: 'tokens',
  body: Closed({ scopes: Scopes }),
  status: 201,
  response: Closed({ code: Type.String(), expiresAt: Time }),
  errors: ['RATE_LIMITED'],
  examples: [{ summary: 'For a browser', body: { scopes: ['read', 'spawn'] }, status: 201 }],
});

export const followLink = operation({
  id: 'followLink',
  method: 'POST',
  path: '/v1/links/follow',
  tag: 'Tokens',
  summary: 'Turn a code into a token that is good for 12 hours',
  access: 'none',
  body: Closed({ code: Type.String({ minLength: 1, maxLength: 100 }) }),
  status: 201,
  response: NewToken,
  errors: ['LINK_INVALID', 'RATE_LIMITED'],
  examples: [
    { summary: 'A code', body: { code: '{code}' }, status: 201 },
    { summary: 'One that was used', body: { code: '{code}' }, status: 401 },
  ],
});
