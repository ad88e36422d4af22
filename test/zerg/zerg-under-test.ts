/** A front with the Zerg page, on loopback, for tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Strategy } from '../../src/drivers/driver.js';
import { OneProcess } from '../../src/supervisor/one-process.js';
import type { Serving } from '../../src/supervisor/serving.js';
import { Supervised } from '../../src/supervisor/supervised.js';
import { zergDefinition } from '../../src/zerg/definition.js';
import { VIEW_HEADER, type View } from '../../src/zerg/view.js';

export interface ZergUnderTest {
  readonly serving: Serving;
  readonly url: string;
}

/** @param workers 0: one process. */
export async function startZerg(workers = 0, strategy?: Strategy): Promise<ZergUnderTest> {
  const common = {
    ...{ driver: 'auto' as const, logger: pino({ enabled: false }), trustProxy: [] },
    ...{ maxConnections: 1_000, admission: { concurrency: 4 }, byName: true, zerg: true },
  };
  const serving =
    workers === 0
      ? await OneProcess.open(common)
      : await Supervised.open({ ...common, workers, log: { level: 'silent', json: true } });
  try {
    await serving.deploy({
      ...zergDefinition('1.2.3'),
      ...(strategy === undefined ? {} : { strategy }),
    });
    return { serving, url: await serving.listen('127.0.0.1', 0) };
  } catch (error) {
    await serving.close();
    throw error;
  }
}

/** Asks for the page. */
export async function viewPage(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly response: Response; readonly text: string; readonly id: string }> {
  const response = await fetch(`${url}/zerg`, { headers });
  const text = await response.text();
  return { response, text, id: response.headers.get(VIEW_HEADER) ?? '' };
}

/** Asks for a view until its instance is gone. */
export async function completeView(url: string, id: string): Promise<View> {
  for (;;) {
    const response = await fetch(`${url}/zerg/views/${id}`);
    const view = (await response.json()) as View;
    if (!response.ok || view.isComplete) {
      return view;
    }
    await sleep(10);
  }
}
