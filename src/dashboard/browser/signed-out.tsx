/** What there is to see without a token: how to get in. */
import type { Missing } from './session.js';

const REASONS = {
  never: 'This page needs a link that lets you in.',
  used: 'This link has been used, or is older than two minutes: each lets one browser in, once.',
  ended: 'The token of this page is not good any more: it lasts 12 hours, or was removed.',
  left: 'You have left. This tab has forgotten its token.',
} as const;

export function SignedOut({ missing }: { readonly missing: Missing }) {
  const reason = typeof missing === 'string' ? REASONS[missing] : missing.problem;
  return (
    <main class="signed-out">
      <h1>Hatchery</h1>
      <p role="alert">{reason}</p>
      <p>Where the server runs, this prints a new one:</p>
      <pre>
        <code>hatchery dashboard</code>
      </pre>
    </main>
  );
}
