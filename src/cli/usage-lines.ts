/** What a request used, for a terminal. */
import type { Usage } from '../usage.js';

/** How the figures are shown, in order. */
const FIGURES: Readonly<Record<keyof Usage, { readonly title: string; readonly unit: string }>> = {
  cpuMicroseconds: { title: 'processor', unit: ' us' },
  peakMemoryBytes: { title: 'peak memory', unit: ' bytes' },
  dirtyMemoryBytes: { title: 'dirty memory', unit: ' bytes' },
  bytesIn: { title: 'body in', unit: ' bytes' },
  bytesOut: { title: 'body out', unit: ' bytes' },
  hostCalls: { title: 'host calls', unit: '' },
};

/** A line for each figure that is known. */
export function usageLines(usage: Usage | undefined): string[] {
  return Object.entries(FIGURES).flatMap(([name, { title, unit }]) => {
    const amount = usage?.[name as keyof Usage];
    return amount === undefined ? [] : [`${title.padEnd(13)}${String(amount).padStart(11)}${unit}`];
  });
}
