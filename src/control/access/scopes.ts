/** What a token may do. */

/**
 * `read`: look at everything but logs of secrets, which are nowhere; `deploy`: change functions;
 * `spawn`: make, use and end instances; `tokens`: make and remove tokens, with any scope.
 */
export const SCOPES = ['read', 'deploy', 'spawn', 'tokens'] as const;

export type Scope = (typeof SCOPES)[number];
