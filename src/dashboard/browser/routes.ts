/** Which view is shown: by the address's fragment, so that the server need not know of views. */
import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'function'; readonly name: string }
  | { readonly view: 'request'; readonly id: string }
  | { readonly view: 'nothing' };

export const OVERVIEW = '#/';
export const functionAddress = (name: string) => `#/functions/${encodeURIComponent(name)}`;
export const requestAddress = (id: string) => `#/requests/${encodeURIComponent(id)}`;

export function routeOf(fragment: string): Route {
  if (fragment === '' || fragment === OVERVIEW) {
    return { view: 'overview' };
  }
  const [, of = '', text = ''] = /^#\/(functions|requests)\/([^/]+)$/.exec(fragment) ?? [];
  const name = decoded(text);
  if (of === '' || name === undefined) {
    return { view: 'nothing' };
  }
  return of === 'functions' ? { view: 'function', name } : { view: 'request', id: name };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export function useRoute(): Route {
  const [fragment, setFragment] = useState(location.hash);
  useEffect(() => {
    const change = () => setFragment(location.hash);
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return routeOf(fragment);
}
