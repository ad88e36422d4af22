/** The dashboard in a real browser, as somebody uses it. */
import type { Browser } from 'playwright-core';
import t from 'tap';
import { noChromium, startChromium, watch } from '../browser/chromium.js';
import { says, startControl, type UnderTest } from '../control/control-under-test.js';
import { noDriver } from '../drivers/default-driver.js';
import {
  eventually,
  HOSTILE,
  linkTo,
  MARKUP,
  type Opened,
  openDashboard,
  tabTo,
  unexpected,
} from './dashboard-under-test.js';

t.test('the dashboard in Chromium', { skip: noDriver || noChromium }, async (t) => {
  let server: UnderTest | undefined;
  let browser: Browser | undefined;
  t.teardown(async () => {
    await browser?.close();
    await server?.close();
  });
  server = await startControl({ data: `${t.testdir()}/data`, workers: 2 });
  browser = await startChromium();
  const { ask, front, url } = server;
  const open = (...more: [options?: object, scopes?: ('read' | 'spawn' | 'deploy')[]]) =>
    openDashboard(browser as Browser, server as UnderTest, ...more);

  await t.test('a link lets one browser in, once', async (t) => {
    const link = await linkTo(server as UnderTest);
    const context = await (browser as Browser).newContext();
    const page = await context.newPage();
    const { problems } = watch(page, url);
    await page.goto(link);
    await page.locator('.headline').waitFor();
    t.equal(page.url(), `${url}/dashboard/#/`, 'the code is not in the address');
    t.equal(await page.evaluate('history.length'), 2, 'nor in the history');
    t.match(await page.evaluate('JSON.stringify(sessionStorage)'), /hatchery_/);
    t.equal(await page.evaluate('localStorage.length'), 0);
    t.same(await context.cookies(), []);
    await page.reload();
    await page.locator('.headline').waitFor();
    t.same(unexpected(problems), []);

    const second = await (await (browser as Browser).newContext()).newPage();
    await second.goto(link);
    t.match(await second.getByRole('alert').textContent(), /has been used/);
    t.match(await second.locator('main').textContent(), /hatchery dashboard/);
    t.equal(second.url(), `${url}/dashboard/#/`);
    await second.goto('about:blank');
    await second.goto(`${url}/dashboard/#code=%3Cscript%3E`);
    t.match(await second.getByRole('alert').textContent(), /needs a link/);
    await second.context().close();

    await page.getByRole('button', { name: 'Leave' }).click();
    t.match(await page.getByRole('alert').textContent(), /has forgotten/);
    t.equal(await page.evaluate('sessionStorage.length'), 0);
    await page.goto(await linkTo(server as UnderTest));
    await page.locator('.headline').waitFor();
    await context.close();
  });

  await t.test('what is deployed, asked and crashes is to be seen', async (t) => {
    const { page, panel, problems, close } = await open();
    t.match(await panel('Functions').textContent(), 'hatchery function deploy examples/hello.ts');
    t.match(await panel('Spawned instances').textContent(), 'None lives');
    await ask('PUT', '/v1/functions/planets', { bundle: { code: HOSTILE }, env: { TEXT: MARKUP } });
    const row = page.locator('[data-function="planets"]');
    await row.waitFor();
    const served = page.locator('[data-hatched="served"]');
    const before = Number(await served.textContent());
    for (let count = 0; count < 5; count += 1) {
      t.equal((await fetch(`${front}/planets/${count}`)).status, 200);
    }
    await eventually(async () => Number(await served.textContent()) === before + 5, 'five hatch');
    await eventually(
      async () => (await row.locator('td').nth(1).textContent()) === '5',
      'five are counted',
    );
    t.match(await page.locator('canvas.field').getAttribute('aria-label'), /\d served, 0 crashed/);
    const guest = page.locator('[data-phase="guest"] td');
    await eventually(async () => /[µm]s$/.test((await guest.nth(1).textContent()) ?? ''), 'a p50');
    t.match(await panel('Requests').locator('tbody tr').count(), 5);
    t.equal(await panel('Host, workers and queue').locator('tbody tr').count(), 2, 'two workers');

    await fetch(`${front}/planets/crash`);
    const crash = panel('Crashes').locator('details').first();
    await crash.waitFor();
    const trace = await crash.locator('.trace').textContent();
    t.match(trace, `no such planet ${MARKUP}`, 'its trace is there, as text');
    t.match(trace, /fetch/);
    t.match(await page.locator('[data-hatched="crashed"]').textContent(), '1');
    t.equal(await page.locator('img, #dashboard script').count(), 0);

    await crash.getByRole('link', { name: /^Request/ }).click();
    await page.getByRole('heading', { name: 'How it ended' }).waitFor();
    t.match(await panel('How it ended').textContent(), /crashed.*FUNCTION_THREW/s);
    t.match(await panel('How it ended').locator('.trace').textContent(), MARKUP);
    await page.goto(`${url}/dashboard/#/requests/nobody-1`);
    await page.getByRole('alert').waitFor();
    t.match(await page.getByRole('alert').textContent(), /not known/);
    t.same(unexpected(problems, /status of 404/), []);
    await close();
  });

  await t.test('a crash from before is there, too', async (t) => {
    const { panel, close } = await open();
    await panel('Crashes').locator('.trace').first().waitFor();
    t.match(await panel('Crashes').locator('.trace').first().textContent(), 'no such planet');
    await close();
  });

  await t.test('cells are drawn in the colour of how the request ended', async (t) => {
    for (const reducedMotion of ['reduce', 'no-preference'] as const) {
      const { page, close } = await open({ reducedMotion, deviceScaleFactor: 1 });
      const color = await page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--served').trim()",
      );
      const has = `(color) => {
        const canvas = document.querySelector('canvas.field');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
        for (let at = 0; at < data.length; at += 4) {
          if (data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] === 255) {
            return true;
          }
        }
        return false;
      }`;
      const isSeen = async () => Boolean(await page.evaluate(`(${has})('${color}')`));
      t.notOk(await isSeen());
      const asking = setInterval(() => void fetch(`${front}/planets/x`).catch(() => {}), 100);
      await eventually(isSeen, `a cell, ${reducedMotion}`).finally(() => clearInterval(asking));
      await eventually(async () => !(await isSeen()), `it has vanished, ${reducedMotion}`);
      await close();
    }
  });

  await t.test('a function can be tried, and what it logs is read', async (t) => {
    const { page, panel, problems, close } = await open();
    await page.locator('[data-function="planets"] a').click();
    await page.getByRole('heading', { level: 1, name: 'planets' }).waitFor();
    t.equal(await page.title(), 'planets – Hatchery');
    t.ok(await page.getByRole('heading', { level: 1 }).evaluate((h1) => h1.matches(':focus')));
    t.match(await panel('What it is').textContent(), MARKUP, 'its variables, as text');
    const log = panel('Log');
    await log.locator('p', { hasText: 'asked for /4' }).first().waitFor();
    await fetch(`${front}/planets/later`);
    await log.locator('p', { hasText: `asked for /later ${MARKUP}` }).waitFor();

    const form = panel('Try it');
    const send = () => form.getByRole('button', { name: 'Send' }).click();
    await form.getByLabel('Method').selectOption('POST');
    await form.getByLabel('Path').fill('/tried?x=1');
    await form.getByLabel('Headers, one a line').fill('X-Asked: how\n');
    await form.getByLabel('Body').fill('a body');
    // In which a reading comes, and the page is drawn again.
    await page.waitForTimeout(1_500);
    t.equal(await form.getByLabel('Path').inputValue(), '/tried?x=1', 'what is typed stays');
    await send();
    await form.locator('pre.body').waitFor();
    t.match(await form.getByRole('status').textContent(), 'Status 200');
    t.match(await form.locator('pre.body').textContent(), `${MARKUP}`);
    t.match(await form.locator('pre.body').textContent(), 'POST a body');
    t.match(await form.locator('.texts').textContent(), `x-said${MARKUP}`);
    t.match(await form.locator('.texts').textContent(), 'x-askedhow');
    t.match(await form.locator('.timeline').textContent(), /guest.*[µm]s/s);

    await form.getByLabel('Path').fill('/crash');
    await send();
    await form.locator('.trace').waitFor();
    t.match(await form.locator('.failed').textContent(), /^FUNCTION_THREW/);
    t.match(await form.locator('.trace').textContent(), `no such planet ${MARKUP}`);
    await form.getByLabel('Path').fill('/bytes');
    await send();
    await form.getByText('3\u202fB that are not text').waitFor();
    await form.getByLabel('Path').fill('/long');
    await send();
    await form.getByText(/more characters/).waitFor();
    t.equal((await form.locator('pre.body').textContent())?.length, 65_536);
    await form.getByLabel('Headers, one a line').fill('none');
    await send();
    await form.getByText(/Line 1 of the headers/).waitFor();
    await form.getByLabel('Headers, one a line').fill('');
    await form.getByLabel('Path').fill('ftp://x');
    await send();
    await form.getByText(/CONFIGURATION_INVALID/).waitFor();
    t.equal(await page.locator('img, #dashboard script').count(), 0);
    t.equal(await page.title(), 'planets – Hatchery', 'no text of the function did anything');
    t.same(unexpected(problems, /status of (400|500)/), []);
    await close();
  });

  await t.test('what a request used is shown where it was accounted', async (t) => {
    const { page, panel, problems, close } = await open();
    const asked = await fetch(`${front}/planets/x`);
    const id = asked.headers.get('x-request-id') as string;
    const usage = {
      ...{
        cpuMicroseconds: 1_234,
        peakMemoryBytes: 3 << 20,
        bytesIn: 0,
        bytesOut: 5,
        hostCalls: 2,
      },
    };
    await page.route(`**/v1/requests/${id}`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), usage } });
    });
    await page.goto(`${url}/dashboard/#/requests/${id}`);
    const text = ((await panel('What it used').textContent()) ?? '').replaceAll('\u202f', ' ');
    t.match(text, 'Processor1.23 ms');
    t.match(text, 'Memory at most3.0 MiB');
    t.match(text, 'Memory written–', 'it is not known yet');
    t.match(text, 'Host calls2');
    t.same(unexpected(problems), []);
    await close();
  });

  await t.test('an earlier version can answer again', async (t) => {
    await ask('PUT', '/v1/functions/greeting', says('one'));
    await ask('PUT', '/v1/functions/greeting', says('two'));
    const { page, panel, problems, close } = await open();
    await page.goto(`${url}/dashboard/#/functions/greeting`);
    await panel('Versions').getByRole('button', { name: 'Roll back to 1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await panel('Versions')
      .getByText(/Version 1 answers/)
      .waitFor();
    t.equal(await (await fetch(`${front}/greeting/`)).text(), 'one');
    await panel('Versions').getByRole('button', { name: 'Roll back to 2' }).waitFor();
    t.same(unexpected(problems), []);
    await page.goto(`${url}/dashboard/#/functions/nobody`);
    await page.getByText('There is no function of that name').waitFor();
    await page.goto(`${url}/dashboard/#/nowhere`);
    await page.getByRole('heading', { name: 'Nothing is here' }).waitFor();
    await close();
  });

  await t.test('all of it goes by keyboard', async (t) => {
    const { body: spawned } = await ask('POST', '/v1/instances', { function: 'planets' });
    const { page, panel, problems, close } = await open();
    await page.locator(`[data-instance="${spawned.id}"]`).waitFor();
    t.equal(await page.locator('[data-spawned]').textContent(), '1');
    await page.keyboard.press('Tab');
    t.ok(
      await page
        .getByRole('button', { name: 'Skip to the content' })
        .evaluate((button) => button.matches(':focus-visible')),
      'the first stop leads past the rest',
    );
    await page.keyboard.press('Enter');
    t.ok(await page.locator('main').evaluate((main) => main.matches(':focus')));
    t.ok(await page.locator('.headline').isVisible(), 'and to the same view');

    const kill = page.getByRole('button', { name: `Kill ${spawned.id}` });
    await tabTo(page, kill);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    t.equal((await ask('GET', `/v1/instances/${spawned.id}`)).body.state, 'ready', 'left alone');
    t.ok(await kill.evaluate((button) => button.matches(':focus')), 'and one is where one was');
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Kill it' }));
    await page.keyboard.press('Enter');
    await panel('Spawned instances').getByText(`${spawned.id} is killed`).waitFor();
    t.equal((await ask('GET', `/v1/instances/${spawned.id}`)).body.state, 'ended');
    await panel('Spawned instances').getByText('None lives').waitFor();

    await page.reload();
    await tabTo(page, page.locator('[data-function="planets"] a'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'planets' }).waitFor();
    await tabTo(page, panel('Try it').getByLabel('Path'));
    await page.keyboard.type('/tried');
    await page.keyboard.press('Enter');
    await panel('Try it').locator('pre.body').waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    t.same(unexpected(problems), []);
    await close();
  });

  await t.test('who may only read is offered nothing else', async (t) => {
    const { body: spawned } = await ask('POST', '/v1/instances', { function: 'planets' });
    const { page, panel, problems, close } = await open({}, ['read']);
    await page.locator(`[data-instance="${spawned.id}"]`).waitFor();
    t.equal(await page.getByRole('button', { name: /Kill/ }).count(), 0);
    await page.goto(`${url}/dashboard/#/functions/greeting`);
    await panel('Versions').waitFor();
    t.equal(await page.getByRole('button', { name: /Roll back/ }).count(), 0);
    t.equal(await panel('Try it').count(), 0);
    t.same(unexpected(problems), []);
    await ask('DELETE', `/v1/instances/${spawned.id}`);
    await close();
  });

  await t.test('a connection that is lost is told, and comes back', async () => {
    const { page, close } = await open();
    const lost = page.getByText('The connection is lost.');
    await page.context().setOffline(true);
    await lost.waitFor();
    await page.context().setOffline(false);
    await lost.waitFor({ state: 'detached' });
    const served = page.locator('[data-hatched="served"]');
    const before = Number(await served.textContent());
    const asking = setInterval(() => void fetch(`${front}/planets/x`).catch(() => {}), 200);
    await eventually(
      async () => Number(await served.textContent()) > before,
      'events come again',
    ).finally(() => clearInterval(asking));
    await close();
  });

  await t.test('a tab that nobody sees asks nothing', async (t) => {
    const { page, problems, close } = await open();
    const { control } = server as UnderTest;
    await eventually(async () => control.openStreams === 1, 'events are followed');
    const turn = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await turn(true);
    await eventually(async () => control.openStreams === 0, 'no events are followed');
    let asked = 0;
    await page.waitForTimeout(500);
    page.on('request', () => {
      asked += 1;
    });
    await page.waitForTimeout(2_500);
    t.equal(asked, 0);
    await turn(false);
    await eventually(async () => control.openStreams === 1 && asked > 1, 'it goes on');
    t.same(unexpected(problems), []);
    await close();
  });

  await t.test('what the server refuses is told, and is not the end', async () => {
    const { page, close } = await open();
    await page.route('**/v1/statistics', (route) =>
      route.fulfill({ status: 429, json: { code: 'RATE_LIMITED', message: 'Too often.' } }),
    );
    const refused = page.getByText('The server refuses to tell.');
    await refused.waitFor();
    await page.unroute('**/v1/statistics');
    await refused.waitFor({ state: 'detached' });
    await close();
  });

  await t.test('a token that is removed is the end, and said to be', async (t) => {
    const { page, close }: Opened = await open();
    const { body } = await ask('GET', '/v1/tokens');
    for (const { id, name } of body.tokens) {
      if (name === 'link') {
        await ask('DELETE', `/v1/tokens/${id}`);
      }
    }
    await page.getByRole('alert').waitFor();
    t.match(await page.getByRole('alert').textContent(), /not good any more/);
    t.equal(await page.evaluate('sessionStorage.length'), 0);
    await close();
  });
});
