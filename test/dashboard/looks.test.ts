/**
 * The dashboard in windows of several widths, light and dark. With HATCHERY_SCREENSHOTS=FOLDER it leaves
 * pictures there, which is how those in docs/images are made.
 */
import type { Browser } from 'playwright-core';
import t from 'tap';
import { LOW_CONTRAST, noChromium, OVERFLOW, startChromium } from '../browser/chromium.js';
import { startControl, type UnderTest } from '../control/control-under-test.js';
import { noDriver } from '../drivers/default-driver.js';
import { openDashboard, unexpected } from './dashboard-under-test.js';

const SCREENSHOTS = process.env.HATCHERY_SCREENSHOTS;
/** How long requests come while a picture is made. */
const BUSY_MILLISECONDS = SCREENSHOTS === undefined ? 1_500 : 30_000;

const PLANETS = `export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/pluto') throw new TypeError('pluto is no planet');
  console.log('orbit of ' + pathname.slice(1));
  return Response.json({ planet: pathname.slice(1), moons: 2 });
} };`;
const HELLO = "export default { fetch: () => new Response('hello') };";

const WINDOWS = [
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 1280 },
  { scheme: 'light', width: 360 },
  { scheme: 'dark', width: 360 },
  { scheme: 'light', width: 2560 },
] as const;

async function beBusy(front: string): Promise<void> {
  const end = Date.now() + BUSY_MILLISECONDS;
  for (let count = 0; Date.now() < end; count += 1) {
    const path = count % 40 === 7 ? 'planets/pluto' : count % 3 === 0 ? 'planets/mars' : 'hello/';
    await fetch(`${front}/${path}`).then((response) => response.arrayBuffer());
    await new Promise((resolve) => setTimeout(resolve, 10 + 15 * Math.sin(count / 60) ** 2));
  }
}

t.test('the dashboard’s looks', { skip: noDriver || noChromium }, async (t) => {
  let server: UnderTest | undefined;
  let browser: Browser | undefined;
  t.teardown(async () => {
    await browser?.close();
    await server?.close();
  });
  server = await startControl({ data: `${t.testdir()}/data`, workers: 2, version: '0.1.0' });
  browser = await startChromium();
  const { ask, front, url } = server;
  const source = (name: string, code: string) => ({
    source: { entry: `${name}.js`, files: { [`${name}.js`]: code } },
  });
  await ask('PUT', '/v1/functions/hello', source('hello', HELLO));
  await ask('PUT', '/v1/functions/planets', { ...source('planets', PLANETS), env: { UNIT: 'AU' } });
  await ask('POST', '/v1/instances', { function: 'hello' });
  await ask('POST', '/v1/instances', { function: 'planets' });

  for (const { scheme, width } of WINDOWS) {
    await t.test(`${scheme}, ${width} pixels wide`, async (t) => {
      const { page, panel, problems, close } = await openDashboard(
        browser as Browser,
        server as UnderTest,
        {
          ...{ colorScheme: scheme, viewport: { width, height: width < 400 ? 800 : 1_050 } },
          ...(width < 400 ? { hasTouch: true, isMobile: true, deviceScaleFactor: 1 } : {}),
        },
      );
      const check = async (view: string) => {
        t.equal(await page.evaluate(OVERFLOW), 0, `${view}: nothing is beside the window`);
        t.same(await page.evaluate(LOW_CONTRAST), [], `${view}: all text can be read`);
        if (SCREENSHOTS !== undefined) {
          await page.screenshot({
            path: `${SCREENSHOTS}/dashboard-${view}-${scheme}-${width}.png`,
          });
          await page.screenshot({
            path: `${SCREENSHOTS}/dashboard-${view}-${scheme}-${width}-whole.png`,
            fullPage: true,
          });
        }
      };
      const busy = beBusy(front);
      await panel('Crashes').locator('.trace').first().waitFor();
      await panel('Requests').locator('tbody tr').first().waitFor();
      await busy;
      await check('overview');
      const request = panel('Requests').getByRole('link').first();
      await page.goto(`${url}/dashboard/${await request.getAttribute('href')}`);
      await page.locator('.timeline').waitFor();
      await check('request');
      await page.goto(`${url}/dashboard/#/functions/planets`);
      await panel('Try it').getByLabel('Path').fill('/mars');
      await panel('Try it').getByRole('button', { name: 'Send' }).click();
      await panel('Try it').locator('pre.body').waitFor();
      await panel('Log').locator('p').first().waitFor();
      await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
      await check('function');
      await page.getByRole('button', { name: 'Leave' }).click();
      await check('left');
      t.same(unexpected(problems), []);
      await close();
    });
  }
});
