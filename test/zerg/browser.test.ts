/**
 * The Zerg page in a real browser. With HATCHERY_SCREENSHOTS=FOLDER it leaves pictures there, which is
 * how those in docs/images are made.
 */
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { LOW_CONTRAST, noChromium, OVERFLOW, startChromium, watch } from '../browser/chromium.js';
import { noDriver } from '../drivers/default-driver.js';
import { startZerg, type ZergUnderTest } from './zerg-under-test.js';

const SCREENSHOTS = process.env.HATCHERY_SCREENSHOTS;
const MILLISECONDS = /^\d+\.\d+ ms$/;

/** What a cell of the column “This view” says. */
const cell = (page: Page, step: string) => page.locator(`[data-step="${step}"]`);

/** Goes on by the tabulator key until that element has the focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let count = 0; count < 20; count += 1) {
    await page.keyboard.press('Tab');
    if (await page.locator(selector).evaluate((element) => element.matches(':focus-visible'))) {
      return;
    }
  }
  throw new Error(`${selector} is not reached by keyboard`);
}

const WINDOWS = [
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 1280 },
  { scheme: 'light', width: 360 },
  { scheme: 'dark', width: 360 },
] as const;

t.test('the page in Chromium', { skip: noDriver || noChromium }, async (t) => {
  let zerg: ZergUnderTest | undefined;
  let browser: Browser | undefined;
  t.teardown(async () => {
    await browser?.close();
    await zerg?.serving.close();
  });
  // Workers, so that the browser's connections are served by several.
  zerg = await startZerg(2);
  browser = await startChromium();
  const { url } = zerg;

  for (const { scheme, width } of WINDOWS) {
    await t.test(`${scheme}, ${width} pixels wide`, async (t) => {
      const context = await (browser as Browser).newContext({
        ...{ colorScheme: scheme, viewport: { width, height: 800 }, deviceScaleFactor: 1 },
      });
      const page = await context.newPage();
      const { problems } = watch(page, url);
      await page.goto(`${url}/zerg`);
      await page.locator('tfoot [data-total]').filter({ hasText: 'ms' }).waitFor();
      for (const step of ['B', 'F', 'G']) {
        t.match(await cell(page, step).textContent(), MILLISECONDS, step);
      }
      t.match(await page.locator('tfoot [data-total]').textContent(), MILLISECONDS);
      t.equal(await page.locator('#figure').isHidden(), true);

      await tabTo(page, '#more');
      await page.keyboard.press('Enter');
      await page.locator('#histogram svg').waitFor();
      t.match(await page.locator('#progress').textContent(), /^100 views: p50 [\d.]+ ms, p99/);
      const counts = await page
        .locator('#histogram rect')
        .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('data-count'))));
      t.equal(
        counts.reduce((sum, count) => sum + count, 0),
        100,
        'each view is in the histogram',
      );
      t.match(await page.locator('#histogram svg').getAttribute('aria-label'), /p50.*p99/);
      t.match(await page.locator('#spread tbody tr').allTextContents(), { length: 5 });
      t.ok(
        await page.locator('#more').evaluate((button) => button.matches(':focus')),
        'whoever came by keyboard is still there',
      );

      t.equal(await page.evaluate(OVERFLOW), 0, 'nothing is beside the window');
      t.same(await page.evaluate(LOW_CONTRAST), [], 'all text can be read');
      t.same(problems, []);
      if (SCREENSHOTS !== undefined) {
        await page.screenshot({
          path: `${SCREENSHOTS}/zerg-${scheme}-${width}.png`,
          fullPage: true,
        });
      }
      await context.close();
    });
  }

  await t.test('says what is missing when nothing more can be had', async (t) => {
    const page = await (browser as Browser).newPage();
    await page.route('**/zerg/views/**', (route) =>
      route.fulfill({ status: 404, json: { message: 'Gone.' } }),
    );
    await page.goto(`${url}/zerg`);
    await page.locator('#missing').waitFor();
    t.match(await page.locator('#missing').textContent(), 'Gone.');
    await page.close();
  });

  await t.test('can be read without JavaScript', async (t) => {
    const context = await (browser as Browser).newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${url}/zerg`);
    t.match(await page.locator('#phases').textContent(), /103\.3 ms/);
    t.match(await page.locator('noscript').textContent(), /Without JavaScript/);
    await context.close();
  });
});
