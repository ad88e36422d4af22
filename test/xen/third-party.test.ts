/** Guests of others, from files of xl.cfg: Debian's GRUB and Debian's Linux, as PV and as PVH. Runs in the lab. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { shutDown } from '../../src/cli/domain/actions.js';
import { restoreDomain, saveDomain } from '../../src/cli/domain/save.js';
import { readDomainConfig } from '../../src/xen/domain-config.js';
import { Libxl } from '../../src/xen/libxl.js';
import { resultOf } from './command-results.js';
import { destroyAll, Screen } from './libxl-guests.js';
import { within } from './patience.js';

const libxl = await Libxl.open();
t.teardown(() => libxl.close());
t.afterEach(() => destroyAll(libxl));

const folder = t.testdir({});

/** Makes a domain as `hatchery domain create` does, and gives its console from the first line on. */
async function boot(text: string): Promise<{ domid: number; screen: Screen }> {
  const { config, warnings } = readDomainConfig(
    { text, file: 'guest.cfg' },
    { host: undefined, findFirmware: () => undefined },
  );
  if (warnings.length > 0) {
    throw new Error(`a key was not understood: ${JSON.stringify(warnings)}`);
  }
  const domid = await libxl.createDomain(config);
  const screen = new Screen(await libxl.openConsole(domid));
  await libxl.unpauseDomain(domid);
  return { domid, screen };
}

const GRUBS = {
  pv: '/usr/lib/grub-xen/grub-x86_64-xen.bin',
  pvh: '/usr/lib/grub-xen/grub-i386-xen_pvh.bin',
};

for (const [type, kernel] of Object.entries(GRUBS)) {
  t.test(`GRUB as ${type}`, async (t) => {
    const { domid, screen } = await boot(`
      name = "grub-${type}"
      type = "${type}"
      kernel = "${kernel}"
      memory = 64
      vcpus = 1
      tsc_mode = "native"
    `);
    await screen.waitFor(/grub> /);
    screen.console.write('set\r');
    await screen.waitFor(/grub_platform=xen/);
    screen.console.destroy();
    await libxl.destroyDomain(domid);
    t.pass('it said what it is');
  });
}

/** What runs as process 1 of the Linux guests: says what it runs on, answers one line, powers off. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec </dev/hvc0 >/dev/hvc0 2>&1
stty -echo
while true; do
  echo "up: Linux $(uname -r) as $(cat /sys/hypervisor/guest_type), $(nproc) vCPU"
  read line || sleep 1
  echo "heard: $line"
done
`;

/** The kernel runs it when xenstore says that the guest shall power off. */
const POWEROFF = '#!/bin/busybox sh\n/bin/busybox poweroff -f\n';

const PACK = `
  cd "$0" && mkdir -p root/bin root/sbin root/dev root/proc root/sys &&
  cp /usr/bin/busybox root/bin/busybox &&
  cp init root/init && cp poweroff root/sbin/poweroff && chmod +x root/init root/sbin/poweroff &&
  mknod root/dev/console c 5 1 &&
  (cd root && find . | cpio -o -H newc) >initramfs`;

function makeInitramfs(): string {
  writeFileSync(`${folder}/init`, INIT);
  writeFileSync(`${folder}/poweroff`, POWEROFF);
  execFileSync('sh', ['-c', PACK, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  return `${folder}/initramfs`;
}

const ramdisk = makeInitramfs();

/**
 * What else a kernel is told. The lab's processor does not let Xen know that a PVH guest sets XCR0 (QEMU's
 * TCG does not intercept XSETBV), so that Xen takes AVX away from it with the next change of guests, and
 * with a restore: an invalid opcode in busybox's init.
 */
const EXTRA = { pv: '', pvh: ' noxsave' };

for (const [type, extra] of Object.entries(EXTRA)) {
  t.test(`Linux as ${type}`, async (t) => {
    const { domid, screen } = await boot(`
      name = "linux-${type}"
      type = "${type}"
      kernel = "/boot/vmlinuz"
      ramdisk = "${ramdisk}"
      extra = "console=hvc0 mitigations=off lsm=capability${extra}"
      memory = 128
      vcpus = 1
      tsc_mode = "native"
    `);
    await screen.waitFor(/Linux version 6\./);
    await screen.waitFor(new RegExp(`up: Linux 6\\.\\S+ as ${type.toUpperCase()}, 1 vCPU`));
    screen.console.write('hello\n');
    await screen.waitFor(/heard: hello/);
    screen.console.destroy();

    const file = `${folder}/saved-${type}`;
    const saving = resultOf((terminal) =>
      saveDomain(String(domid), file, { leave: 'destroyed' }, terminal),
    );
    t.match(await within('it is saved', saving), { done: 'save', leave: 'destroyed' });
    t.equal(await libxl.findDomain(`linux-${type}`), undefined, 'and gone');

    const restoring = resultOf((terminal) =>
      restoreDomain(file, { paused: true, keep: false, name: 'again' }, terminal),
    );
    const restored = await within('it is restored', restoring);
    // Dom0's files are in its memory, where there is no room for two of these.
    rmSync(file);
    t.match(restored, { event: 'restored', name: 'again' });
    const again = Number(restored.domid);
    const later = new Screen(await libxl.openConsole(again));
    await libxl.unpauseDomain(again);
    later.console.write('still there?\n');
    await later.waitFor(/heard: still there\?/);
    later.console.destroy();

    const down = resultOf((terminal) => shutDown('again', { wait: true, timeout: 60 }, terminal));
    t.match(await down, { done: 'shutdown' });
    t.match(await libxl.domainInfo(again), { shutdown: true, shutdown_reason: 'poweroff' });
  });
}
