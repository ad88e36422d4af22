/** The same for whole servers: after a kill in the middle of a deploy, one version answers, whole. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { HatcheryClient } from '../../src/client/index.js';
import { MAIN, Served } from '../cli/command.js';
import { noDriver } from '../drivers/default-driver.js';

const KILLS = 8;
/** Several deploys take so long. */
const LATEST_MILLISECONDS = 1_500;

/** Answers with its number twice: from code and from a secret. */
const version = (number: number) => ({
  bundle: {
    code: `export default { fetch: (_, env) => new Response('${number} ' + env.NUMBER) };`,
  },
  secrets: { NUMBER: String(number) },
});

t.test('servers that are killed while they deploy', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const server = new Served(['--control-port', '0', '--data', data], {}, [MAIN], 'up');
    const listening = await server.next('listening');
    if (acknowledged > 0) {
      const response = await fetch(`${listening.url}/app/`);
      const [code, secret] = (await response.text()).split(' ');
      t.equal(code, secret, 'code and secret are of one version');
      t.ok(
        [acknowledged, acknowledged + 1].includes(Number(code)),
        `${code} answers, ${acknowledged} was acknowledged`,
      );
      acknowledged = Number(code);
    }
    const client = new HatcheryClient({
      server: listening.control as string,
      token: readFileSync(`${data}/token`, 'utf8').trim(),
    });
    const deploying = (async () => {
      for (;;) {
        await client.functions.deploy('app', version(acknowledged + 1));
        acknowledged += 1;
      }
    })().catch(() => {});
    await sleep(300 + Math.random() * LATEST_MILLISECONDS);
    server.kill('SIGKILL');
    await Promise.all([deploying, server.end]);
  }
  t.ok(acknowledged > KILLS / 2, `${acknowledged} deploys were acknowledged`);
});
