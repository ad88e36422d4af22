/** A machine whose KVM is hidden: functions run in processes, and everything says so. */
import t from 'tap';
import { detectDriver } from '../../src/drivers/detect.js';
import { hatchery, Served } from './command.js';
import { says } from './functions.js';

const found = detectDriver('process');
const missing = found?.available === true ? false : `processes: ${found?.reason}`;
const HIDDEN = { HATCHERY_HIDE_KVM: '1' };

t.test('with KVM hidden', { skip: missing }, async (t) => {
  const folder = t.testdir({ 'hello.js': says('hello') });

  for (const workers of ['1', '0']) {
    t.test(`serve takes processes and says so, with ${workers} workers`, async (t) => {
      const served = new Served([`${folder}/hello.js`, '--workers', workers], HIDDEN);
      const listening = await served.next('listening');
      t.match(listening, {
        driver: 'process',
        strategy: 'clone',
        why: { driver: /thinner wall than a virtual machine/ },
      });
      const response = await fetch(listening.url as string);
      t.equal(await response.text(), 'hello');
      t.equal(response.headers.get('x-hatchery-driver'), 'process');
      t.equal((await served.stop('SIGTERM')).code, 0);
    });
  }

  t.test('doctor says what is taken', async (t) => {
    const { code, stdout } = await hatchery(['doctor', '--json'], { env: HIDDEN });
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; state: string; detail: string }[];
    };
    const check = (name: string) => checks.find((one) => one.name === name);
    t.equal(code, 0);
    t.match(check('kvm'), { state: 'limited', detail: /HATCHERY_HIDE_KVM/ });
    t.match(check('process'), { state: 'ok' });
    t.match(check('driver'), { detail: /takes process/ });
  });

  t.test('KVM and rewinding are refused with a reason', async (t) => {
    const file = `${folder}/hello.js`;
    const kvm = await hatchery(['serve', file, '--driver', 'kvm'], { env: HIDDEN });
    t.equal(kvm.code, 3);
    t.match(kvm.stderr, /HATCHERY_HIDE_KVM hides it.*\[KVM_UNAVAILABLE\]/);
    const none = { ...HIDDEN, HATCHERY_ADDONS: '/nonexistent' };
    const nothing = await hatchery(['run', file], { env: none });
    t.equal(nothing.code, 3);
    t.match(nothing.stderr, /build:addon.*\[PROCESS_UNAVAILABLE\]/, 'KVM is not what is asked for');
    const reset = await hatchery(['serve', file, '--strategy', 'reset'], { env: HIDDEN });
    t.not(reset.code, 0);
    t.match(reset.stderr, /the driver process has no reset/);
  });
});
