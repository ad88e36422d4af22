/** `hatchery domain top`: what the domains use, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libxl } from '../../xen/libxl.js';
import { EXIT_CODES } from '../exit-codes.js';
import { stopSignal } from '../stop-signal.js';
import { tableOf } from '../table.js';
import type { Terminal } from '../terminal.js';
import { type DomainSummary, summaryOf } from './state.js';
import { withLibxl } from './toolstack.js';

export interface TopOptions {
  /** Seconds between two tables. */
  readonly interval: number;
  /** How many; until it is stopped where not given. */
  readonly count?: number;
}

/** A domain's share of the time since the sample before. */
interface Usage extends DomainSummary {
  /** Of one processor; null for a domain that was not there before. */
  readonly cpuPercent: number | null;
}

interface Sample {
  /** Milliseconds, monotonic. */
  readonly at: number;
  readonly domains: readonly DomainSummary[];
}

export function top({ interval, count }: TopOptions, terminal: Terminal): Promise<number> {
  return withLibxl(async (libxl) => {
    const stopped = stopSignal();
    const stop = new AbortController();
    stopped.then(() => stop.abort());
    let before = await sample(libxl);
    for (let shown = 0; count === undefined || shown < count; shown += 1) {
      await sleep(interval * 1000, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) {
        break;
      }
      const now = await sample(libxl);
      show(usageOf(before, now), terminal);
      before = now;
    }
    return EXIT_CODES.ok.code;
  });
}

async function sample(libxl: Libxl): Promise<Sample> {
  const domains = (await libxl.listDomains()).map((domain) => summaryOf(domain));
  return { at: performance.now(), domains };
}

/** The busiest first. */
export function usageOf(before: Sample, now: Sample): Usage[] {
  const seconds = (now.at - before.at) / 1000;
  return now.domains
    .map((domain) => {
      const old = before.domains.find(({ uuid }) => uuid === domain.uuid);
      const used = old === undefined ? undefined : domain.cpuSeconds - old.cpuSeconds;
      return { ...domain, cpuPercent: used === undefined ? null : (100 * used) / seconds };
    })
    .sort((one, other) => (other.cpuPercent ?? 0) - (one.cpuPercent ?? 0));
}

/** Clears the screen and goes to its top left corner, where a person looks at it. */
const CLEAR = '\u001b[H\u001b[2J';

function show(usage: readonly Usage[], terminal: Terminal): void {
  const table = tableOf(
    ['ID', 'NAME', 'STATE', 'CPU %', 'CPU S', 'MIB', 'VCPUS'],
    usage.map(({ domid, name, state, cpuPercent, cpuSeconds, memoryKib, vcpus }) => [
      domid,
      name ?? '(no name)',
      state,
      (cpuPercent ?? 0).toFixed(1),
      cpuSeconds.toFixed(1),
      Math.round(memoryKib / 1024),
      vcpus,
    ]),
  );
  terminal.result(process.stdout.isTTY ? `${CLEAR}${table}` : `${table}\n`, {
    time: new Date().toISOString(),
    domains: usage,
  });
}
