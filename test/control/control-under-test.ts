/** A whole server, front and control API, on loopback, for tests. */
import { readFileSync } from 'node:fs';
import type { BaseLogger } from 'pino';
import { pino } from 'pino';
import { Control, type ControlOptions } from '../../src/control/control.js';
import { Intake } from '../../src/control/intake.js';
import { OneProcess } from '../../src/supervisor/one-process.js';
import type { Serving } from '../../src/supervisor/serving.js';
import { Supervised } from '../../src/supervisor/supervised.js';
import { workerUser } from '../../src/supervisor/user.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what comes.
  readonly body: any;
}

export interface UnderTest {
  readonly control: Control;
  readonly serving: Serving;
  readonly intake: Intake;
  /** Of the control API. */
  readonly url: string;
  readonly front: string;
  readonly token: string;
  /** Asks with the first token. */
  ask(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface UnderTestOptions extends Partial<ControlOptions> {
  readonly data: string;
  /** Default: 0, one process. */
  readonly workers?: number;
  readonly logger?: BaseLogger;
}

export async function startControl(options: UnderTestOptions): Promise<UnderTest> {
  const { workers = 0, logger = pino({ enabled: false }) } = options;
  const intake = new Intake();
  const serve = {
    ...{ driver: 'auto' as const, logger, trustProxy: [], maxConnections: 1_000 },
    ...{ admission: { concurrency: 4, instances: 8 }, byName: true, report: intake.report },
  };
  const serving =
    workers === 0
      ? await OneProcess.open(serve)
      : await Supervised.open({
          ...{ ...serve, workers, fetches: true, log: { level: 'silent', json: true } },
        });
  const control = await Control.open({
    ...{ serving, intake, bundlerUser: workerUser(undefined), version: '0.0.0', environment: {} },
    ...options,
    logger,
  }).catch(async (error) => {
    await serving.close();
    throw error;
  });
  await control.functions.restore();
  const front = await serving.listen('127.0.0.1', 0);
  control.reachedAt(front);
  const url = await control.listen('127.0.0.1', 0);
  const token = readFileSync(`${options.data}/token`, 'utf8').trim();
  return {
    ...{ control, serving, intake, url, front, token },
    ask: async (method, path, body, as = token) => {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${as}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const { status, headers } = response;
      return { status, headers, body: text === '' ? undefined : JSON.parse(text) };
    },
    close: async () => {
      await control.close();
      await serving.close();
    },
  };
}

/** An upload of one file that answers with a text. */
export function says(text: string): object {
  const files = {
    'a.ts': `export default { fetch: () => new Response(${JSON.stringify(text)}) };`,
  };
  return { source: { entry: 'a.ts', files } };
}

/** Reads server-sent events: the data of each as it comes. */
export async function* readEvents(
  response: Response,
): AsyncGenerator<{ readonly id: string | undefined; readonly data: Record<string, unknown> }> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) {
        yield { id: /^id: (.*)$/m.exec(block)?.[1], data: JSON.parse(data) };
      }
    }
  }
}
