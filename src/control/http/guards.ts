/** Who may talk to the control API at all: names that it is served as, and its own pages. */
import type { IncomingHttpHeaders } from 'node:http';
import { HatcheryError } from '../../errors.js';

/** Names of this machine that no DNS server can lead elsewhere. */
const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export class HostGuard {
  readonly #names: ReadonlySet<string>;

  /** @param more names that it is served as, without a port. */
  constructor(more: readonly string[]) {
    this.#names = new Set([...OWN_NAMES, ...more.map((name) => name.toLowerCase())]);
  }

  /**
   * A page whose host name was made to lead here (DNS rebinding) has another Host; a page of another
   * origin says so in Origin, or the browser does in Sec-Fetch-Site.
   * @throws HatcheryError HOST_REFUSED, ORIGIN_REFUSED
   */
  check(headers: IncomingHttpHeaders): void {
    const { host = '', origin, 'sec-fetch-site': site } = headers;
    if (!this.#names.has(nameOf(host))) {
      throw new HatcheryError('HOST_REFUSED', { host });
    }
    const isOwn =
      origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
    if (!isOwn || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
      throw new HatcheryError('ORIGIN_REFUSED', { origin: origin ?? 'another site' });
    }
  }
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, '');
}
