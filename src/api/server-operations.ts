/** What the server says of itself. */
import { Type } from '@sinclair/typebox';
import { operation } from './operation.js';
import { Closed } from './shared-schemas.js';

export const getServer = operation({
  id: 'getServer',
  method: 'GET',
  path: '/v1/server',
  tag: 'Server',
  summary: 'Which version this is, on which driver, and where its front is',
  access: 'read',
  status: 200,
  response: Closed({
    version: Type.String(),
    driver: Type.String(),
    detail: Type.Optional(Type.String()),
    workers: Type.Array(Type.Integer(), { description: 'Process ids.' }),
    front: Type.String({ description: 'URL.' }),
  }),
  errors: [],
  examples: [{ summary: 'This one', status: 200 }],
});
