/** Debian's Linux as a guest of others: it is booted, spoken with, saved, restored, and shut down. */

import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { shutDown } from '../../src/cli/domain/actions.js';
import { restoreDomain, saveDomain } from '../../src/cli/domain/save.js';
import { resultOf } from './command-results.js';
import { bootConfig } from './configured-guest.js';
import { libxlFor, Screen } from './libxl-guests.js';
import { within } from './patience.js';

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

function makeInitramfs(folder: string): string {
  writeFileSync(`${folder}/init`, INIT);
  writeFileSync(`${folder}/poweroff`, POWEROFF);
  execFileSync('sh', ['-c', PACK, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  return `${folder}/initramfs`;
}

/** The test of a file of its own: it takes half a minute, and more where others use the machine. */
export async function testLinux(type: 'pv' | 'pvh'): Promise<void> {
  const libxl = await libxlFor(t);
  const folder = t.testdir({});
  const ramdisk = makeInitramfs(folder);
  t.test(`Linux as ${type}`, async (t) => {
    const { domid, screen } = await bootConfig(
      libxl,
      `
      name = "linux-${type}"
      type = "${type}"
      kernel = "/boot/vmlinuz"
      ramdisk = "${ramdisk}"
      extra = "console=hvc0 mitigations=off lsm=capability"
      memory = 128
      vcpus = 1
      tsc_mode = "native"
    `,
    );
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
