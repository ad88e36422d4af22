/** What `serve` and `up` say of what serves, and of how fast it answers. */
import type { Command } from 'commander';
import type { Serving } from '../supervisor/serving.js';
import { selfTest } from './self-test.js';
import type { DriverOptions } from './server-options.js';
import type { Terminal } from './terminal.js';
import { wholeNumber } from './values.js';

const MAX_SELF_TEST = 1_000_000;

/** Why the driver is that one. */
export function whyDriver({ driver }: Serving, asked: DriverOptions['driver']): string {
  const found = driver.detail === undefined ? '' : ` (${driver.detail})`;
  return `${asked === 'auto' ? 'the first that works here' : 'asked for'}${found}`;
}

export function processesOf({ workers }: Serving): string {
  return workers.length === 0
    ? 'none: this process does everything'
    : `processes ${workers.join(', ')}`;
}

export function addSelfTestOption(command: Command): Command {
  return command.option(
    '--self-test <count>',
    'requests to send to itself at the start, to tell how long one takes',
    wholeNumber(0, MAX_SELF_TEST),
    0,
  );
}

/** @param url of what answers the requests. */
export async function testItself(url: string, requests: number, terminal: Terminal): Promise<void> {
  const { p50, p99, failed } = await selfTest(url, requests);
  const failures = failed > 0 ? `; ${failed} failed: see the log` : '';
  terminal.result(
    `  self-test ${requests} requests through HTTP: ` +
      `p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms${failures}`,
    { event: 'self-test', requests, p50, p99, failed },
  );
}
