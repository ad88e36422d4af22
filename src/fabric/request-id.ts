import { randomBytes } from 'node:crypto';

/** Tells this process's requests from those of others and of its earlier lives. */
const PREFIX = randomBytes(6).toString('base64url');
let count = 0;

/** A new name for a request: unique, and cheap, because each request needs one. */
export function nextRequestId(): string {
  count += 1;
  return `${PREFIX}-${count.toString(36)}`;
}
