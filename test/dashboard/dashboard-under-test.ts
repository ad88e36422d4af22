/** A server with its dashboard open in a browser, for tests. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Scope } from '../../src/client/index.js';
import { watch } from '../browser/chromium.js';
import type { UnderTest } from '../control/control-under-test.js';

export const ALL: readonly Scope[] = ['read', 'spawn', 'deploy'];

/** A function that does what its path says; all that it says is hostile. */
export const HOSTILE = `
  const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  export default {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      console.log('asked for ' + pathname + ' ' + markup);
      if (pathname === '/crash') throw new Error('no such planet ' + markup);
      if (pathname === '/bytes') return new Response(new Uint8Array([255, 0, 255]));
      if (pathname === '/long') return new Response('x'.repeat(70_000));
      return new Response(markup + ' ' + request.method + ' ' + await request.text(),
        { headers: { 'x-said': markup, 'x-asked': request.headers.get('x-asked') ?? '' } });
    },
  };`;

/** What of it must be read as it stands. */
export const MARKUP = '<img src=x onerror="document.title=1">';

/** The address of a dashboard that lets one in, once. */
export async function linkTo(server: UnderTest, scopes = ALL): Promise<string> {
  const { body } = await server.ask('POST', '/v1/links', { scopes });
  return `${server.url}/dashboard/#code=${body.code}`;
}

/** All but that streams end when the page leaves them. */
export function unexpected(problems: readonly string[], ...allowed: readonly RegExp[]): string[] {
  const known = [/^failed: \S+\/(events|follow\S*)$/, ...allowed];
  return problems.filter((problem) => !known.some((one) => one.test(problem)));
}

export interface Opened {
  readonly page: Page;
  /** What went wrong in it, or left for another host, since it was opened. */
  readonly problems: string[];
  panel(title: string): Locator;
  close(): Promise<void>;
}

export async function openDashboard(
  browser: Browser,
  server: UnderTest,
  options: BrowserContextOptions = {},
  scopes: readonly Scope[] = ALL,
): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const { problems } = watch(page, server.url);
  await page.goto(await linkTo(server, scopes));
  await page.locator('.headline').waitFor();
  return {
    ...{ page, problems },
    panel: (title) =>
      page
        .locator('.panel')
        .filter({ has: page.getByRole('heading', { name: title, exact: true }) }),
    close: () => context.close(),
  };
}

/** Goes on by the tabulator key until that element has the focus. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let count = 0; count < 60; count += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element.matches(':focus-visible'))) {
      return;
    }
  }
  throw new Error(`${target} is not reached by keyboard`);
}

/** Asks again and again until it holds. */
export async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) {
      throw new Error(`in vain was waited: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
