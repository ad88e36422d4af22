/** What is in the way of Xen on machines of different kinds, as their files tell it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { findObstacle, hasHeaders } from '../../src/drivers/xen-host.js';

/** A machine with these files, and nothing else. */
function machine(test: Test, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'hatchery-machine-'));
  test.teardown(() => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return root;
}

const UNDER_XEN = { '/sys/hypervisor/type': 'xen\n' };
const DOMAIN_0 = { ...UNDER_XEN, '/proc/xen/capabilities': 'control_d\n' };
const PRIVCMD = { '/dev/xen/privcmd': '' };
const EVTCHN = { '/dev/xen/evtchn': '' };
const STORE = { '/run/xenstored/socket': '' };

const CASES = [
  ['a machine without Xen', {}, 'absent', /does not run under Xen/, /hypervisor/],
  ['another hypervisor', { '/sys/hypervisor/type': 'uml\n' }, 'absent', /under Xen/, /./],
  ['a Dom0 without xenfs', UNDER_XEN, 'broken', /not mounted/, /mount -t xenfs/],
  [
    'a guest of Xen',
    { ...UNDER_XEN, '/proc/xen/capabilities': '\n', ...PRIVCMD },
    'absent',
    /a guest of Xen/,
    /Dom0/,
  ],
  ['no privcmd', { ...DOMAIN_0, ...EVTCHN, ...STORE }, 'broken', /privcmd/, /modprobe xen-privcmd/],
  ['no evtchn', { ...DOMAIN_0, ...PRIVCMD, ...STORE }, 'broken', /evtchn/, /modprobe xen-evtchn/],
  [
    'no xenstored',
    { ...DOMAIN_0, ...PRIVCMD, ...EVTCHN },
    'broken',
    /xenstored does not run/,
    /start xenstored/,
  ],
] as const;

for (const [name, files, kind, reason, remedy] of CASES) {
  t.test(name, async (t) => {
    t.match(findObstacle(machine(t, files)), { available: false, kind, reason, remedy });
  });
}

const notRoot = process.getuid?.() === 0 ? false : 'needs root, to become somebody else';

t.test('a user who may not open the devices', { skip: notRoot }, async (t) => {
  const root = machine(t, { ...DOMAIN_0, ...PRIVCMD, ...EVTCHN, ...STORE });
  chmodSync(join(root, '/dev/xen/privcmd'), 0o600);
  process.seteuid?.(65_534);
  try {
    t.match(findObstacle(root), { kind: 'broken', reason: /may not open/, remedy: /root/ });
  } finally {
    process.seteuid?.(0);
  }
});

t.test('a Dom0 that has everything', async (t) => {
  const root = machine(t, { ...DOMAIN_0, ...PRIVCMD, ...EVTCHN, ...STORE });
  t.equal(findObstacle(root), undefined);
});

t.test("Xen's headers", async (t) => {
  t.equal(hasHeaders(machine(t, {})), false);
  t.equal(hasHeaders(machine(t, { '/usr/include/xenctrl.h': '' })), true);
});
