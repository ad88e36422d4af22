/** Every operation on domains that needs no device, once, on a real Xen. Runs in the lab. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { failureOf, GRUB_KIBIBYTES, grubConfig, libxlFor, Screen } from './libxl-guests.js';
import { within } from './patience.js';

const libxl = await libxlFor(t);

const xl = (...args: string[]) => execFileSync('xl', args, { encoding: 'utf8' });

for (const type of ['pv', 'pvh'] as const) {
  t.test(`a ${type} domain is created, spoken with, and halts`, async (t) => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    const config = grubConfig(type, 'spoken');
    const domid = await libxl.createDomain({ ...config, c_info: { ...config.c_info, uuid } });
    t.match(xl('list'), new RegExp(`^spoken +${domid} `, 'm'), 'xl sees it');

    const paused = await libxl.domainInfo(domid);
    t.match(paused, { domid, name: 'spoken', uuid, paused: true, vcpu_online: 1 });
    t.equal(paused.cpu_time ?? 0, 0, 'it has not run');

    const screen = new Screen(await libxl.openConsole(domid));
    const position = await libxl.eventPosition();
    await libxl.unpauseDomain(domid);
    await screen.waitFor(/grub> /);
    screen.console.write('echo he"l"lo\r');
    await screen.waitFor(/\n\r?hello/);

    await libxl.pauseDomain(domid);
    t.equal((await libxl.domainInfo(domid)).paused, true);
    await libxl.unpauseDomain(domid);
    t.not((await libxl.domainInfo(domid)).paused, true);

    const ended = new Promise((resolve) => screen.console.once('end', resolve));
    screen.console.write('halt\r');
    const events = libxl.events({ after: position });
    const shutdown = await within('the shutdown is told', events.next());
    t.match(shutdown.value, { type: 'shutdown', domid, uuid, reason: 'poweroff' });
    t.match(await libxl.domainInfo(domid), { shutdown: true, shutdown_reason: 'poweroff' });
    await libxl.destroyDomain(domid);
    const death = await within('the death is told', events.next());
    t.match(death.value, { type: 'death', domid, uuid });
    await events.return?.();
    await within('the console ends', ended);
    t.pass('the console ends with the domain');
    t.equal((await libxl.listDomains()).length, 1);
  });
}

t.test('names', async (t) => {
  const domid = await libxl.createDomain(grubConfig('pvh', 'before'));
  t.equal(await libxl.findDomain('before'), domid);
  await libxl.renameDomain(domid, 'after', 'before');
  t.equal(await libxl.findDomain('before'), undefined);
  t.equal(await libxl.findDomain('after'), domid);
  t.equal(xl('domname', String(domid)).trim(), 'after');
  await t.rejects(libxl.renameDomain(domid, 'third', 'before'), { code: 'LIBXL_FAILED' });
  t.equal(await libxl.findDomain('after'), domid);
});

t.test('the configuration can be had back, and makes the same domain again', async (t) => {
  const domid = await libxl.createDomain(grubConfig('pvh', 'first'));
  const config = await libxl.domainConfig(domid);
  t.match(config, grubConfig('pvh', 'first'));
  await libxl.destroyDomain(domid);
  const again = await libxl.createDomain({
    ...config,
    c_info: { ...config.c_info, name: 'second' },
  });
  const { c_info, ...same } = await libxl.domainConfig(again);
  t.match(c_info, { name: 'second', type: 'pvh' });
  t.match(same, { b_info: config.b_info, on_poweroff: 'preserve' });
});

t.test('processors, scheduling and memory', async (t) => {
  const domid = await libxl.createDomain({
    ...grubConfig('pvh', 'tuned'),
    b_info: { ...grubConfig('pvh', 'tuned').b_info, max_vcpus: 2, avail_vcpus: [0, 1] },
  });
  t.strictSame(
    (await libxl.listVcpus(domid)).map(({ vcpuid }) => vcpuid),
    [0, 1],
  );
  await libxl.setVcpuAffinity(domid, 1, [1]);
  await libxl.setVcpuAffinity(domid, 0, [0, 1], [1]);
  t.match(await libxl.listVcpus(domid), [{ cpumap: [0, 1], cpumap_soft: [1] }, { cpumap: [1] }]);
  await libxl.setVcpuAffinity(domid, 'all', [1]);
  t.match(await libxl.listVcpus(domid), [{ cpumap: [1] }, { cpumap: [1] }]);
  t.match(await failureOf(libxl.setVcpuAffinity(domid, 0, [4000])), {
    libxl: 'ERROR_INVAL',
    said: 'there is no processor 4000',
  });

  await libxl.setVcpuCount(domid, 1);
  const availability = `/local/domain/${domid}/cpu/1/availability`;
  t.equal(execFileSync('xenstore-read', [availability], { encoding: 'utf8' }).trim(), 'offline');

  await libxl.setSchedulerParameters(domid, { weight: 512, cap: 50 });
  t.match(await libxl.schedulerParameters(domid), { sched: 'credit2', weight: 512, cap: 50 });

  await libxl.setMemoryTarget(domid, GRUB_KIBIBYTES / 2);
  t.equal((await libxl.memoryTarget(domid)).targetKib, GRUB_KIBIBYTES / 2);
  await t.rejects(libxl.setMemoryTarget(domid, GRUB_KIBIBYTES * 2), { code: 'LIBXL_FAILED' });
  await libxl.setMaximumMemory(domid, GRUB_KIBIBYTES * 2);
  await libxl.setMemoryTarget(domid, GRUB_KIBIBYTES * 2);
  t.equal((await libxl.memoryTarget(domid)).targetKib, GRUB_KIBIBYTES * 2);
});

t.test('cpupools', async (t) => {
  const [pool0] = await libxl.listCpupools();
  t.match(pool0, { poolid: 0, pool_name: 'Pool-0', cpumap: [0, 1] });
  await libxl.removeCpuFromCpupool(0, 1);
  const pool = await libxl.createCpupool('apart', [1], 'credit');
  t.match(await libxl.listCpupools(), [
    {},
    { poolid: pool, pool_name: 'apart', sched: 'credit', cpumap: [1] },
  ]);
  await libxl.renameCpupool(pool, 'aside');

  const domid = await libxl.createDomain(grubConfig('pvh', 'moved'));
  await libxl.moveDomainToCpupool(domid, pool);
  t.equal((await libxl.domainInfo(domid)).cpupool, pool);
  t.match(await libxl.schedulerParameters(domid), { sched: 'credit' });
  await t.rejects(libxl.destroyCpupool(pool), { code: 'LIBXL_FAILED' }, 'a domain is in it');
  await libxl.destroyDomain(domid);

  await libxl.removeCpuFromCpupool(pool, 1);
  await libxl.destroyCpupool(pool);
  await libxl.addCpuToCpupool(0, 1);
  t.match(await libxl.listCpupools(), [{ cpumap: [0, 1] }]);
});

t.test('the host', async (t) => {
  t.match(await libxl.version(), { xen_version_major: 4, pagesize: 4096 });
  t.match(await libxl.physicalInfo(), { nr_cpus: 2, cap_pv: true, cap_hvm: true });
  t.ok((await libxl.freeMemory()) > GRUB_KIBIBYTES);
});
