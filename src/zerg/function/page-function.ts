/**
 * The function that renders the Zerg page. It runs in an instance, and imports nothing of the host's
 * but types and names.
 */
import { FACTS_HEADER, type Facts } from '../view.js';
import { page } from './page.js';

interface PageFunction {
  fetch(request: Request, env: Readonly<Record<string, unknown>>): Response;
}

/** @param script of the page, for browsers. */
export function pageFunction(script: string): PageFunction {
  return {
    fetch(request, env) {
      const { method, headers, url } = request;
      if (method !== 'GET' && method !== 'HEAD') {
        return new Response('The page is to be read.\n', {
          status: 405,
          headers: { allow: 'GET, HEAD' },
        });
      }
      if (new URL(url).pathname !== '/') {
        return new Response('Nothing is here but the page itself.\n', { status: 404 });
      }
      const told = headers.get(FACTS_HEADER);
      if (told === null) {
        return new Response('This page is rendered for the front of a server only.\n', {
          status: 400,
        });
      }
      const facts = JSON.parse(told) as Facts;
      // Entropy comes with each request, so no two views have the same, snapshot or not.
      const nonce = crypto.randomUUID();
      const base = headers.get('x-forwarded-prefix') ?? '';
      return new Response(String(page({ facts, env, nonce, base, script })), {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': policy(nonce),
          'cache-control': 'no-store',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-resource-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
        },
      });
    },
  };
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
