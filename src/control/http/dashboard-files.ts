/** Gives browsers the dashboard: a few files, the same for everybody, that hold no secret. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { HatcheryError } from '../../errors.js';

/** Built by scripts/steps/dashboard.mjs. */
const FOLDER = new URL('../../dashboard/page/', import.meta.url);

/** Where it is; what a browser asks for there, and what that is. */
const DASHBOARD_PATH = '/dashboard/';
const FILES = [
  { path: '', name: 'index.html', type: 'text/html; charset=utf-8' },
  { path: 'dashboard.mjs', name: 'dashboard.mjs', type: 'text/javascript; charset=utf-8' },
  { path: 'dashboard.css', name: 'dashboard.css', type: 'text/css; charset=utf-8' },
] as const;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // What functions say is set as text: as markup a browser would not take it, either.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  // It may be kept, but is asked for again: after an update the page and its script go together.
  'Cache-Control': 'no-cache',
} as const;

/** @param folder where the files are. Default: where they are built. */
export function serveDashboard(server: FastifyInstance, folder = FOLDER): void {
  for (const { path, name, type } of FILES) {
    let file: { readonly content: Buffer; readonly tag: string } | undefined;
    server.get(DASHBOARD_PATH + path, (request, reply) => {
      file ??= read(new URL(name, folder));
      return send(reply, type, file, request.headers['if-none-match']);
    });
  }
  // The code in a link's fragment goes along: browsers keep it.
  server.get(DASHBOARD_PATH.slice(0, -1), (_, reply) => reply.redirect(DASHBOARD_PATH, 308));
}

function read(url: URL) {
  try {
    const content = readFileSync(url);
    return { content, tag: `"${createHash('sha256').update(content).digest('base64url')}"` };
  } catch (cause) {
    throw new HatcheryError('DASHBOARD_MISSING', {}, { cause });
  }
}

function send(
  reply: FastifyReply,
  type: string,
  { content, tag }: { readonly content: Buffer; readonly tag: string },
  known: string | undefined,
): FastifyReply {
  reply.headers({ ...HEADERS, ETag: tag });
  return known === tag ? reply.code(304).send() : reply.type(type).send(content);
}
