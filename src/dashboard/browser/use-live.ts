/** What components need of the server, and of the session. */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Scope } from '../../client/index.js';
import type { Known, Live } from './live.js';

export interface Page {
  readonly live: Live;
  readonly scopes: readonly Scope[];
}

export const PageContext = createContext<Page | undefined>(undefined);

function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) {
    throw new Error('there is no page around this component');
  }
  return page;
}

export function useLive(): Live {
  return usePage().live;
}

/** Whether the page's token allows that. */
export function useMay(scope: Scope): boolean {
  return usePage().scopes.includes(scope);
}

/** What is known; the component is rendered anew when that changes. */
export function useKnown(): Known {
  const live = useLive();
  const [known, setKnown] = useState(live.known);
  useEffect(() => {
    const take = () => setKnown(live.known);
    // It may have changed since this was rendered.
    take();
    return live.listen(take);
  }, [live]);
  return known;
}
