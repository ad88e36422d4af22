/** Sends requests of the mix, and keeps account of what became of each. */
import { Agent, get } from 'node:http';
import { draw, MIX } from './mix.js';

/** No answer may take longer, whatever happens: then the request is lost. */
const LOST_MILLISECONDS = 30_000;
const CONNECTIONS = 4096;
/** What a server that has no room may say. */
const REFUSED = new Set(['OVERLOADED']);

export class Client {
  readonly #origin: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly refused = new Map<string, number>();
  /** What came back is not what had to, or nothing came. The first few of each kind. */
  readonly wrong = new Map<string, number>();
  underWay = 0;
  sent = 0;
  served = 0;
  /** Milliseconds that the accepted requests waited for a place: `queue` of Server-Timing. */
  longestQueue = 0;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get lost(): number {
    return [...this.wrong.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Sends one, and resolves when its fate is known. */
  async send(name = draw(Math.random())): Promise<void> {
    this.underWay += 1;
    this.sent += 1;
    try {
      const answer = await this.#exchange(name);
      this.#judge(name, answer);
    } catch (error) {
      count(this.wrong, `${name}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    } finally {
      this.underWay -= 1;
    }
  }

  #exchange(name: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const request = get(`${this.#origin}/${name}`, { agent: this.#agent }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.once('error', reject);
        response.once('end', () => {
          const queue = /(?:^|, )queue;dur=([\d.]+)/.exec(
            String(response.headers['server-timing']),
          );
          this.longestQueue = Math.max(this.longestQueue, Number(queue?.[1] ?? 0));
          resolve({ status: response.statusCode as number, body });
        });
      });
      request.setTimeout(LOST_MILLISECONDS, () => request.destroy(new Error('no answer')));
      request.once('error', reject);
    });
  }

  #judge(name: string, { status, body }: { status: number; body: string }): void {
    const expected = MIX[name];
    const code = status >= 400 ? (JSON.parse(body) as { code: string }).code : undefined;
    const isExpected =
      code === undefined ? status === expected?.status : expected?.codes?.includes(code);
    if (isExpected) {
      this.served += 1;
    } else if (code !== undefined && REFUSED.has(code)) {
      count(this.refused, code);
    } else {
      count(this.wrong, `${name}: ${status} ${code ?? ''}`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
