/** `hatchery domain keep`: the process that stays with a domain and makes it again where it is to be. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepDomain } from '../../xen/domain-keeper.js';
import { EXIT_CODES } from '../exit-codes.js';
import { stopSignal } from '../stop-signal.js';
import type { Terminal } from '../terminal.js';
import { findDomain, withLibxl } from './toolstack.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** Where xl and xenconsoled write what they say of domains. */
const LOG_FOLDER = '/var/log/xen';

export function keep(argument: string, terminal: Terminal): Promise<number> {
  return withLibxl(async (libxl) => {
    const domid = await findDomain(libxl, argument);
    const stop = new AbortController();
    stopSignal().then(() => stop.abort());
    const log = (text: string) =>
      terminal.result(`${new Date().toISOString()} ${text}`, { event: 'kept', domid, text });
    await keepDomain(libxl, domid, { log, signal: stop.signal });
    return EXIT_CODES.ok.code;
  });
}

/** Starts it as a process of its own, which outlives this one and ends with the domain. */
export function startKeeper(domid: number, name: string): void {
  const log = existsSync(LOG_FOLDER)
    ? openSync(`${LOG_FOLDER}/hatchery-${name}.log`, 'a', 0o600)
    : 'ignore';
  try {
    spawn(process.execPath, [MAIN, 'domain', 'keep', String(domid)], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
    }).unref();
  } finally {
    if (log !== 'ignore') {
      closeSync(log);
    }
  }
}
