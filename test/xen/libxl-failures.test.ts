/** What goes wrong is told with libxl's code and log lines, and leaves nothing behind. Runs in the lab. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { DomainConfig } from '../../src/xen/libxl-config.js';
import { libxlFailure } from '../../src/xen/libxl-failure.js';
import { failureOf, grubConfig, libxlFor, saidIn } from './libxl-guests.js';

const libxl = await libxlFor(t);

t.test('a domain that does not exist', async (t) => {
  t.match(await failureOf(libxl.domainInfo(999)), {
    operation: 'domainInfo',
    libxl: 'ERROR_DOMAIN_NOTFOUND',
  });
  for (const attempt of [
    () => libxl.pauseDomain(999),
    () => libxl.unpauseDomain(999),
    () => libxl.shutdownDomain(999),
    () => libxl.rebootDomain(999),
    () => libxl.destroyDomain(999),
    () => libxl.renameDomain(999, 'nobody'),
    () => libxl.domainConfig(999),
    () => libxl.listVcpus(999),
    () => libxl.schedulerParameters(999),
    () => libxl.setMemoryTarget(999, 4096),
    () => libxl.openConsole(999),
    () =>
      libxl.attachDisk(999, { vdev: 'xvda', pdev_path: '/dev/ram0', format: 'raw', readwrite: 1 }),
    () => libxl.attachNic(999, {}),
    () => libxl.saveDomain(999, `${t.testdir({})}/saved`),
  ]) {
    const failure = await failureOf(attempt());
    t.match(failure.libxl, /^ERROR_/, `${failure.operation}: ${failure.libxl}`);
  }
});

t.test('who destroys a domain that another destroys, too, has what was wanted', async (t) => {
  for (let i = 0; i < 6; i += 1) {
    const domid = await libxl.createDomain(grubConfig('pvh', `wanted-${i}`));
    // Not at the same time to the microsecond: each is at another point when the other is done.
    const other = spawn('xl', ['destroy', String(domid)], { stdio: 'ignore' });
    const ended = once(other, 'close');
    await sleep(5 * i);
    await Promise.all([libxl.destroyDomain(domid), libxl.destroyDomain(domid)]).catch((error) => {
      // That it was gone before anybody began is told.
      t.equal(libxlFailure(error)?.libxl, 'ERROR_DOMAIN_NOTFOUND', error.message);
    });
    await ended;
    t.equal(await libxl.isAlive(domid), false);
  }
});

t.test('a kernel that is not there, or is none', async (t) => {
  const base = grubConfig('pvh', 'broken');
  for (const kernel of ['/does/not/exist', '/etc/xen/xl.conf']) {
    const failure = await failureOf(
      libxl.createDomain({ ...base, b_info: { ...base.b_info, kernel } }),
    );
    t.match(failure, { operation: 'createDomain', libxl: /^ERROR_/ });
    t.ok(
      failure.log.some(({ level }) => level === 'error'),
      JSON.stringify(failure.log),
    );
  }
});

t.test('more memory than there is', async (t) => {
  const base = grubConfig('pv', 'large');
  const much = 1024 * 2 ** 20;
  const failure = await failureOf(
    libxl.createDomain({
      ...base,
      b_info: { ...base.b_info, max_memkb: much, target_memkb: much },
    }),
  );
  t.match(failure.libxl, /^ERROR_/);
  t.ok(failure.log.length > 0);
});

t.test('a name that is taken', async (t) => {
  await libxl.createDomain(grubConfig('pvh', 'twin'));
  const failure = await failureOf(libxl.createDomain(grubConfig('pvh', 'twin')));
  t.match(saidIn(failure), /twin/);
});

t.test('log lines go to the operation that they are about', async (t) => {
  const [good, bad] = await Promise.allSettled([
    libxl.createDomain(grubConfig('pvh', 'good')),
    libxl.createDomain({
      ...grubConfig('pvh', 'bad'),
      b_info: { ...grubConfig('pvh', 'bad').b_info, kernel: '/no/such/kernel' },
    }),
  ]);
  t.equal(good.status, 'fulfilled');
  const failure = await failureOf(Promise.reject((bad as PromiseRejectedResult).reason));
  t.match(saidIn(failure), /no\/such\/kernel|kernel image/);
});

t.test('configurations that libxl would abort on, or not look at, are refused', async (t) => {
  const base = grubConfig('pvh', 'refused');
  const refused: [object, string][] = [
    [{ ...base, c_info: { ...base.c_info, uuid: 'not-a-uuid' } }, 'config.c_info.uuid'],
    [{ ...base, b_info: { ...base.b_info, 'type.pv': {} } }, 'config.b_info.type.pv'],
    [{ ...base, b_info: { ...base.b_info, kernal: '/x' } }, 'config.b_info.kernal'],
    [{ ...base, b_info: { ...base.b_info, avail_vcpus: [1, 0] } }, 'config.b_info.avail_vcpus'],
    [{ ...base, b_info: { ...base.b_info, max_vcpus: 0 } }, 'config.b_info.max_vcpus'],
    [{ c_info: { type: 'pvh' }, b_info: {} }, 'config.c_info.name'],
  ];
  for (const [config, path] of refused) {
    await t.rejects(libxl.createDomain(config as DomainConfig), {
      code: 'CONFIGURATION_INVALID',
      details: { path },
    });
  }
  await t.rejects(libxl.destroyDomain(0), { code: 'INVALID_ARGUMENT' }, 'Dom0 stays');
  await t.rejects(libxl.destroyDomain(1.5), { code: 'INVALID_ARGUMENT' });
  await t.rejects(libxl.renameDomain(1, 'a/b'), { code: 'INVALID_ARGUMENT' });
});

t.test('a domain is destroyed by another toolstack while it is being created', async (t) => {
  const creating = libxl.createDomain(grubConfig('pvh', 'stolen'));
  while ((await libxl.listDomains()).length === 1) {
    // Until Xen has it.
  }
  execFileSync('xl', ['destroy', 'stolen'], { stdio: 'ignore' });
  const [created] = await Promise.allSettled([creating]);
  t.pass(`it ends: ${created.status}`);
  t.match(await libxl.listDomains(), [{ domid: 0 }], 'and the context goes on working');
});

t.test('an operation is aborted', async (t) => {
  const before = AbortSignal.abort();
  await t.rejects(libxl.createDomain(grubConfig('pvh', 'never'), { signal: before }), {
    name: 'AbortError',
  });
  const controller = new AbortController();
  const creating = libxl.createDomain(grubConfig('pvh', 'cut'), { signal: controller.signal });
  controller.abort();
  t.equal((await failureOf(creating)).libxl, 'ERROR_ABORTED');
});

t.test('kill -9 in the middle of a create leaves a domain that can be destroyed', async (t) => {
  const program = `
    import { Libxl } from '${import.meta.resolve('../../src/xen/libxl.js')}';
    import { grubConfig } from '${import.meta.resolve('./libxl-guests.js')}';
    const libxl = await Libxl.open();
    void libxl.createDomain(grubConfig('pvh', 'orphan'));
    while ((await libxl.listDomains()).length === 1);
    process.kill(process.pid, 'SIGKILL');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: 'inherit',
  });
  t.strictSame(await once(child, 'exit'), [null, 'SIGKILL']);
  t.equal((await libxl.listDomains()).length, 2);
});
