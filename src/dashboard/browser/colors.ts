/** The style sheet's colours, for what is drawn and not styled. */
import { useEffect, useState } from 'preact/hooks';

/** @param name of a custom property whose value is a colour in hexadecimal digits. */
export function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const change = () => setMatches(media.matches);
    change();
    media.addEventListener('change', change);
    return () => media.removeEventListener('change', change);
  }, [query]);
  return matches;
}

/** The colours change with it. */
export function useScheme(): 'dark' | 'light' {
  return useMedia('(prefers-color-scheme: dark)') ? 'dark' : 'light';
}

export function useStillness(): boolean {
  return useMedia('(prefers-reduced-motion: reduce)');
}
