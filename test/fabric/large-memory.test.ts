/**
 * Functions that use much memory, before their snapshot point and after it: what one request makes of
 * it no other one sees, whichever pages of the machine it is in.
 */

import { test } from 'tap';
import { strategiesOf, untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const MEBIBYTE = 1 << 20;
const REQUESTS = 6;

/** Says how much of what it finds is not as it should be, and then spoils all of it. */
const SOURCE = `
  const kept = new Uint8Array(5 * ${MEBIBYTE});
  for (let at = 0; at < kept.length; at += 4096) kept[at] = at / 4096 % 251 + 1;
  const wrong = (bytes, expected) => {
    let found = 0;
    for (let at = 0; at < bytes.length; at += 4096) found += bytes[at] !== expected(at / 4096);
    return found;
  };
  export default {
    fetch(request) {
      const mebibytes = Number(new URL(request.url).searchParams.get('mebibytes'));
      const fresh = new Uint8Array(mebibytes * ${MEBIBYTE});
      const found = [wrong(kept, (page) => page % 251 + 1), wrong(fresh, () => 0)];
      kept.fill(255);
      fresh.fill(255);
      return Response.json(found);
    },
  };
`;

for (const strategy of strategiesOf('reset', 'clone', 'pool', 'boot')) {
  test(`${strategy}: requests with much memory`, { skip: untestable }, async (t) => {
    await using fabric = await openFabric();
    const fn = await deploy(fabric, { name: 'large', source: SOURCE, strategy });
    for (let number = 0; number < REQUESTS; number++) {
      const mebibytes = [9, 0, 1, 20][number % 4];
      const response = await fn.fetch(`http://large/?mebibytes=${mebibytes}`);
      t.same(await response.json(), [0, 0], `${mebibytes} MiB`);
    }
  });
}
