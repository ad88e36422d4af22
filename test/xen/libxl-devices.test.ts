/** Disks and network interfaces, with the hotplug scripts that Xen brings. Runs in the lab. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { failureOf, grubConfig, libxlFor, saidIn } from './libxl-guests.js';

execFileSync('modprobe', ['-a', 'xen-netback', 'xen-blkback', 'bridge']);
execFileSync('modprobe', ['brd', 'rd_nr=1', 'rd_size=1024']);
execFileSync('ip', ['link', 'add', 'labbr0', 'type', 'bridge']);
execFileSync('ip', ['link', 'set', 'labbr0', 'up']);

const libxl = await libxlFor(t);

const RAM_DISK = { pdev_path: '/dev/ram0', format: 'raw', backend: 'phy', readwrite: 1 } as const;

const store = (path: string) => execFileSync('xenstore-read', [path], { encoding: 'utf8' }).trim();

const NIC = { bridge: 'labbr0', script: 'vif-bridge' };

t.test('a domain starts with its devices, and they leave it', async (t) => {
  const domid = await libxl.createDomain({
    ...grubConfig('pvh', 'equipped'),
    disks: [{ ...RAM_DISK, vdev: 'xvdb' }],
    nics: [{ ...NIC, mac: '00:16:3e:01:02:03' }],
  });
  t.match(await libxl.listDisks(domid), [{ vdev: 'xvdb', pdev_path: '/dev/ram0' }]);
  t.match(await libxl.listNics(domid), [{ devid: 0, mac: '00:16:3e:01:02:03', bridge: 'labbr0' }]);
  await libxl.detachNic(domid, 0, { force: true });
  await libxl.detachDisk(domid, 'xvdb', { force: true });
  t.strictSame(await libxl.listNics(domid), []);
  t.strictSame(await libxl.listDisks(domid), []);
  t.notOk(existsSync(`/sys/class/net/vif${domid}.0`));
});

t.test('devices come later, but for those that cannot be had', async (t) => {
  const domid = await libxl.createDomain(grubConfig('pvh', 'bare'));
  const nic = await libxl.attachNic(domid, NIC);
  t.match(nic, { devid: 0, mac: /^00:16:3e:/, bridge: 'labbr0' });
  t.match(readFileSync(`/sys/class/net/vif${domid}.0/brport/bridge/uevent`, 'utf8'), /labbr0/);
  await libxl.attachDisk(domid, { ...RAM_DISK, vdev: 'xvda' });
  const backend = `/local/domain/0/backend/vbd/${domid}/51712`;
  t.equal(store(`${backend}/hotplug-status`), 'connected', 'the script has run');
  t.equal(store(`${backend}/physical-device`), '1:0');
  const config = await libxl.domainConfig(domid);
  t.match(config, { nics: [{ mac: nic.mac ?? '' }], disks: [{ vdev: 'xvda' }] });

  const missing = { ...RAM_DISK, vdev: 'xvdc', pdev_path: '/dev/nothing' };
  t.match(saidIn(await failureOf(libxl.attachDisk(domid, missing))), /\/dev\/nothing/);
  const failure = await failureOf(libxl.attachNic(domid, { ...NIC, bridge: 'nobridge' }));
  t.match(saidIn(failure), /Could not find bridge device nobridge/, "the script's own words");
  t.match(await failureOf(libxl.detachDisk(domid, 'xvdz')), { libxl: /^ERROR_/ });
  t.match(await failureOf(libxl.detachNic(domid, 7)), { libxl: /^ERROR_/ });
  await libxl.detachNic(domid, 1, { force: true });
  t.equal((await libxl.listNics(domid)).length, 1, 'what the failed script left can be detached');
  t.equal((await libxl.listDisks(domid)).length, 1);
});
