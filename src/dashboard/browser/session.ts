/** Whom the page acts for: a token that a one-time link gave, kept as long as the tab is open. */
import { ApiError, HatcheryClient, type Scope } from '../../client/index.js';

export interface Session {
  readonly token: string;
  readonly scopes: readonly Scope[];
}

/** Why there is none. */
export type Missing = 'never' | 'used' | 'ended' | 'left' | { readonly problem: string };

const KEY = 'hatchery-session';
const CODE = /^#code=([A-Za-z0-9_-]{1,100})$/;

/** Turns the code of the page's address into a session, or takes up the one that there is. */
export async function openSession(): Promise<Session | Missing> {
  const code = takeCode();
  const kept = keptSession();
  if (code === undefined) {
    return kept ?? 'never';
  }
  try {
    const { token, scopes } = await new HatcheryClient().tokens.followLink(code);
    const session = { token, scopes };
    sessionStorage.setItem(KEY, JSON.stringify(session));
    return session;
  } catch (error) {
    if (kept !== undefined) {
      return kept;
    }
    const isUsed = error instanceof ApiError && error.code === 'LINK_INVALID';
    return isUsed ? 'used' : { problem: (error as Error).message };
  }
}

export function forgetSession(): void {
  sessionStorage.removeItem(KEY);
}

/** From now on neither the address nor the history has it. */
function takeCode(): string | undefined {
  const code = CODE.exec(location.hash)?.[1];
  if (location.hash.startsWith('#code=')) {
    history.replaceState(null, '', `${location.pathname}#/`);
  }
  return code;
}

function keptSession(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Session);
}
