/** `hatchery doctor` on this machine as it is, and as it looks to users who lack something. */
import t from 'tap';
import { wallsCheck } from '../../src/cli/checks/walls.js';
import { defaultDriver, noDriver } from '../drivers/default-driver.js';
import { noKvm } from '../fabric/kvm.js';
import { hatchery, MAIN, runToEnd } from './command.js';
import { says } from './functions.js';

interface Report {
  readonly healthy: boolean;
  readonly checks: { name: string; state: string; detail: string; remedy?: string }[];
}

const check = (report: Report, name: string) => report.checks.find((c) => c.name === name);

/** A folder for PATH in which there is Node and nothing else. */
const withoutTools = t.testdir({ node: t.fixture('symlink', process.execPath) });

t.test('says what this machine has', { skip: noDriver }, async (t) => {
  const { code, stdout } = await hatchery(['doctor', '--json']);
  const report = JSON.parse(stdout) as Report;
  t.equal(code, 0);
  t.equal(report.healthy, true);
  for (const name of ['system', 'node', 'addon', defaultDriver, 'image js', 'image hello']) {
    t.match(check(report, name), { state: 'ok', detail: /./ }, name);
  }
  const device = defaultDriver === 'kvm' ? 'ok' : 'limited';
  for (const name of ['/dev/kvm', 'kvm']) {
    t.match(check(report, name), { state: device, detail: /./ }, name);
  }
  const crash = check(report, 'crash address');
  t.ok(crash?.state === 'ok' || crash?.state === 'limited', 'a guest was crashed to find out');
  // A process always says where it crashed.
  t.match(crash?.detail, defaultDriver === 'kvm' ? /instruction pointer/ : /not tried/);

  const walls = check(report, 'worker walls');
  t.ok(walls?.state === 'ok' || walls?.state === 'limited');
  t.match(walls?.detail, /no capabilities; system calls .*; files /);

  const plain = await hatchery(['doctor']);
  t.equal(plain.code, 0);
  t.match(plain.stdout, 'Hatchery can work here.');
  t.notMatch(plain.stdout, '\u001b', 'no colours where nobody looks');
});

t.test('everything that is not ok has a remedy', async (t) => {
  const { stdout } = await hatchery(['doctor', '--json'], {
    env: { HATCHERY_ADDONS: '/nonexistent', PATH: withoutTools },
  });
  const report = JSON.parse(stdout) as Report;
  for (const { name, state, remedy } of report.checks) {
    t.equal(remedy === undefined, state === 'ok', name);
  }
});

t.test('an addon that cannot be loaded', async (t) => {
  const { code, stdout } = await hatchery(['doctor', '--json'], {
    env: { HATCHERY_ADDONS: '/nonexistent' },
  });
  const report = JSON.parse(stdout) as Report;
  t.equal(code, 3);
  t.equal(report.healthy, false);
  t.match(check(report, 'addon'), { state: 'lacking', remedy: /npm run build:addon/ });
  t.match(check(report, 'crash address'), { state: 'limited' });
  t.match(check(report, 'worker walls'), { state: 'limited', remedy: /--workers 0/ });
});

t.test('tools that are missing are no hindrance', { skip: noDriver }, async (t) => {
  const { code, stdout } = await hatchery(['doctor', '--json'], { env: { PATH: withoutTools } });
  const report = JSON.parse(stdout) as Report;
  t.equal(code, 0);
  t.match(check(report, 'tool wasm2c'), { state: 'limited', remedy: /apt-get install wabt/ });
});

const notRoot = process.getuid?.() === 0 ? false : 'needs root, to become somebody else';

t.test('a user who may not open the device', { skip: noKvm || notRoot }, async (t) => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { code, stdout } = await runToEnd([...nobody, process.execPath, MAIN, 'doctor', '--json']);
  if (code === null || !stdout.startsWith('{')) {
    t.pass('as another user', { skip: 'this checkout cannot be read by others' });
    return;
  }
  const report = JSON.parse(stdout) as Report;
  const device = check(report, '/dev/kvm');
  if (device?.state === 'ok') {
    t.pass('as another user', { skip: 'everybody may open the device here' });
    return;
  }
  t.equal(code, 0, 'guests can run in processes');
  t.match(device, { detail: /may not open it/, remedy: /usermod -aG/ });
  t.match(check(report, 'kvm'), { state: 'limited', remedy: /./ });
  t.match(check(report, 'driver'), { detail: /takes process/ });
});

/** A shell command that hides /dev/kvm from what follows it: a /dev of its own, with little in it. */
const WITHOUT_DEVICE = `
  dev=$(mktemp -d) && mount -t tmpfs tmpfs "$dev" &&
  for name in null zero urandom random; do
    touch "$dev/$name" && mount --bind "/dev/$name" "$dev/$name" || exit 99
  done && mount --move "$dev" /dev && rmdir "$dev" || exit 99
  exec "$@"`;

t.test('a machine without /dev/kvm', { skip: noDriver || notRoot }, async (t) => {
  const hidden = ['unshare', '--mount', 'bash', '-c', WITHOUT_DEVICE, 'bash', MAIN];
  // It is hidden by its place, here.
  const env = { HATCHERY_HIDE_KVM: undefined };
  const doctor = await runToEnd([...hidden, 'doctor', '--json'], { env });
  if (doctor.code === 99 || doctor.stdout === '') {
    t.pass('without the device', { skip: 'mount namespaces are not allowed here' });
    return;
  }
  const report = JSON.parse(doctor.stdout) as Report;
  t.equal(doctor.code, 0, 'guests can run in processes');
  t.match(check(report, 'driver'), { detail: /takes process/ });
  t.match(check(report, '/dev/kvm'), { state: 'limited', detail: /does not exist/, remedy: /./ });

  const folder = t.testdir({ 'app.js': says('x') });
  const serve = ['serve', `${folder}/app.js`, '--port', '0', '--driver', 'kvm'];
  const served = await runToEnd([...hidden, ...serve], { env });
  t.equal(served.code, 3);
  t.match(served.stderr, '[KVM_UNAVAILABLE]');
  t.match(served.stderr, '/dev/kvm');
});

t.test('walls that the kernel does not offer are named', (t) => {
  t.match(wallsCheck({ landlock: 4, seccomp: true }, 65_534), {
    state: 'ok',
    detail: /user 65534.*Landlock 4/,
  });
  t.match(wallsCheck({ landlock: 0, seccomp: true }, undefined), {
    state: 'limited',
    detail: /NOT walled off/,
    remedy: /lsm=/,
  });
  t.match(wallsCheck({ landlock: 4, seccomp: false }, 1000), {
    state: 'limited',
    detail: /NOT filtered/,
    remedy: /--workers 0/,
  });
  t.end();
});
