/** Guests of others, from files of xl.cfg: Debian's GRUB, as PV and as PVH. Runs in the lab. */
import t from 'tap';
import { bootConfig } from './configured-guest.js';
import { libxlFor } from './libxl-guests.js';

const libxl = await libxlFor(t);

const GRUBS = {
  pv: '/usr/lib/grub-xen/grub-x86_64-xen.bin',
  pvh: '/usr/lib/grub-xen/grub-i386-xen_pvh.bin',
};

for (const [type, kernel] of Object.entries(GRUBS)) {
  t.test(`GRUB as ${type}`, async (t) => {
    const { domid, screen } = await bootConfig(
      libxl,
      `
      name = "grub-${type}"
      type = "${type}"
      kernel = "${kernel}"
      memory = 64
      vcpus = 1
      tsc_mode = "native"
    `,
    );
    await screen.waitFor(/grub> /);
    screen.console.write('set\r');
    await screen.waitFor(/grub_platform=xen/);
    screen.console.destroy();
    await libxl.destroyDomain(domid);
    t.pass('it said what it is');
  });
}
