/** What libxl would silently leave out, or abort on, is refused before it sees it. */
import t from 'tap';
import { checkDisk, checkDomainConfig, checkNic } from '../../src/xen/libxl-config.js';
import { fromLibxlJson, toLibxlJson } from '../../src/xen/libxl-json.js';

const GOOD = { c_info: { type: 'pvh', name: 'good' }, b_info: { kernel: '/k', max_vcpus: 2 } };

const withBuild = (fields: object) => ({ ...GOOD, b_info: { ...GOOD.b_info, ...fields } });

t.test('the type is said in the way that libxl takes it', async (t) => {
  t.match(checkDomainConfig(GOOD), { b_info: { 'type.pvh': {} } });
  const pv = { c_info: { type: 'pv', name: 'x' }, b_info: { 'type.pv': { e820_host: true } } };
  t.match(checkDomainConfig(pv), { b_info: { 'type.pv': { e820_host: true } } });
});

t.test('refused', async (t) => {
  const refused: [object, string][] = [
    [{}, 'config'],
    [{ c_info: GOOD.c_info }, 'config'],
    [{ ...GOOD, c_info: { name: 'x' } }, 'config'],
    [{ ...GOOD, c_info: { type: 'pvh' } }, 'config.c_info.name'],
    [{ ...GOOD, c_info: { type: 'pvh', name: 'a/b' } }, 'config.c_info.name'],
    [{ ...GOOD, c_info: { type: 'xen', name: 'x' } }, 'config.c_info.type'],
    [{ ...GOOD, c_info: { ...GOOD.c_info, uuid: '12' } }, 'config.c_info.uuid'],
    [{ ...GOOD, typo: 1 }, 'config.typo'],
    [withBuild({ typo: 1 }), 'config.b_info.typo'],
    [withBuild({ 'type.pv': {} }), 'config.b_info.type.pv'],
    [withBuild({ 'type.hvm': {}, 'type.pvh': {} }), 'config.b_info.type.hvm'],
    [withBuild({ max_vcpus: 2 ** 31 }), 'config.b_info.max_vcpus'],
    [withBuild({ max_memkb: -1 }), 'config.b_info.max_memkb'],
    [withBuild({ max_memkb: 1.5 }), 'config.b_info.max_memkb'],
    [withBuild({ cpumap: [3, 2] }), 'config.b_info.cpumap'],
    [withBuild({ cpumap: [-1] }), 'config.b_info.cpumap.0'],
    [withBuild({ cpumap: [2 ** 30] }), 'config.b_info.cpumap.0'],
    [withBuild({ kernel: '/k\0ernel' }), 'config.b_info.kernel'],
    [withBuild({ tsc_mode: 'fast' }), 'config.b_info.tsc_mode'],
    [withBuild({ cpuid: [{ leaf: 1, eax: '01' }] }), 'config.b_info.cpuid'],
    [{ ...GOOD, disks: [{ vdev: 'xvda', readwrite: 2 }] }, 'config.disks.0.readwrite'],
    [
      { ...GOOD, channels: [{ 'connection.pty': {}, 'connection.socket': { path: '/x' } }] },
      'config.channels.0',
    ],
  ];
  for (const [config, path] of refused) {
    t.throws(
      () => checkDomainConfig(config),
      { code: 'CONFIGURATION_INVALID', details: { path } } as unknown as Error,
      path,
    );
  }
  t.throws(() => checkNic({ mac: '00:16:3e' }), { code: 'CONFIGURATION_INVALID' } as never);
  t.throws(() => checkDisk({ path: '/x' }), { code: 'CONFIGURATION_INVALID' } as never);
});

t.test("libxl's words for booleans are booleans, where they are words", async (t) => {
  const value = {
    localtime: true,
    acpi: false,
    direct_io_safe: true,
    name: 'True',
    vnc: { enable: false },
  };
  const text = toLibxlJson(value);
  t.strictSame(JSON.parse(text), {
    localtime: 'True',
    acpi: 'False',
    direct_io_safe: true,
    name: 'True',
    vnc: { enable: 'False' },
  });
  t.strictSame(fromLibxlJson(text), value);
  t.strictSame(fromLibxlJson('{"acpi":"<default>","name":"<default>"}'), { name: '<default>' });
});
