import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { Fabric } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { allCases } from './cases/all.js';
import { GLOBAL_NAMES, INTERFACES } from './ecma-429.js';
import { readPage } from './page.js';

const page = readPage();
const guest = fileURLToPath(new URL('./guest.js', import.meta.url));

test('the page has each line of ECMA-429 once, and no other', (t) => {
  t.strictSame(
    page.map(({ name }) => name),
    [...INTERFACES, ...GLOBAL_NAMES],
  );
  t.end();
});

test('the page and the cases agree', (t) => {
  for (const { name, state, difference } of page) {
    const cases = allCases.filter(({ line }) => line === name);
    const shown = cases.filter(({ isDifference }) => isDifference);
    t.equal(cases.length > shown.length, state !== 'absent', `${name}: cases of what is there`);
    t.equal(shown.length > 0, state === 'partly', `${name}: cases of what differs`);
    t.equal(difference !== '', state === 'partly', `${name}: words about what differs`);
  }
  const names = new Set(page.map(({ name }) => name));
  t.strictSame(
    [...new Set(allCases.map(({ line }) => line))].filter((line) => !names.has(line)),
    [],
  );
  t.end();
});

test('the guest does what the page says', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  const fn = await fabric.deploy({ name: 'web-apis', file: guest });
  const ask = async (query: string) => (await fn.request({ url: `http://f/?${query}` })).body;
  for (const [index, { line, title }] of allCases.entries()) {
    t.equal(String(await ask(`case=${index}`)), 'passed', `${line}: ${title}`);
  }
  for (const { name, state } of page) {
    const type = String(await ask(`look=${encodeURIComponent(name)}`));
    t.equal(type === 'undefined', state === 'absent', `${name} is ${state}: ${type}`);
  }
});
