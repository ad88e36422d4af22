/** Whole files: what is refused, what is warned about. What xl makes of the same files: test/xen. */
import t from 'tap';
import { readDomainConfig } from '../../src/xen/domain-config.js';
import { checkDomainConfig } from '../../src/xen/libxl-config.js';
import { FILES } from './files.js';
import { noLibxl } from './libxl.js';

const NEVER = { host: undefined, findFirmware: () => undefined };
const read = (text: string, ...overrides: string[]) =>
  readDomainConfig({ text, file: 'web.cfg', overrides }, NEVER);

t.test('whatever people write', { skip: noLibxl }, async (t) => {
  for (const [what, text] of Object.entries(FILES)) {
    const { config } = read(text);
    t.ok(checkDomainConfig(config), `${what}: libxl knows all of it`);
  }
});

const WRONG: Readonly<Record<string, [text: string, message: RegExp]>> = {
  'no name': ['kernel="/k"', /^web\.cfg: name must be given\.$/],
  'no kernel': ['name="t"', /^web\.cfg: kernel must be given, or a bootloader\.$/],
  'a list for a number': ['name="t"\nkernel="/k"\nmemory=[1]', /^web\.cfg:3: memory is a list/],
  'a word for a number': [
    'name="t"\nkernel="/k"\n\nmemory="x"',
    /^web\.cfg:4: memory must be a whole/,
  ],
  'a string for a list': ['name="t"\nkernel="/k"\ndisk="x"', /^web\.cfg:3: disk is a single value/],
  'a list for a string': ['name="t"\nkernel=["x"]', /^web\.cfg:2: kernel is a list/],
  'a disk without a vdev': [
    'name="t"\nkernel="/k"\ndisk=["/a"]',
    /^web\.cfg:3: disk has "\/a": .*vdev/,
  ],
  'an unknown format': [
    'name="t"\nkernel="/k"\ndisk=["/a,foo,xvda"]',
    /^web\.cfg:3: disk .*format/,
  ],
  'a MAC that is none': [
    'name="t"\nkernel="/k"\nvif=["mac=zz"]',
    /^web\.cfg:3: vif "mac=zz" has a mac/,
  ],
  'a rate that is none': ['name="t"\nkernel="/k"\nvif=["rate=zz"]', /^web\.cfg:3: vif has "zz"/],
  'an unknown action': [
    'name="t"\nkernel="/k"\non_crash="explode"',
    /^web\.cfg:3: on_crash must be one/,
  ],
  'an unknown type': ['name="t"\ntype="x"', /^web\.cfg:2: type must be one of pv, pvh, hvm/],
  'a UUID that is none': ['name="t"\nuuid="zz"', /^web\.cfg:2: uuid must be a UUID/],
  'less at most than at first': [
    'name="t"\nkernel="/k"\nmemory=64\nmaxmem=32',
    /^web\.cfg:4: maxmem must not be less than memory, which is 64/,
  ],
  'a channel without a name': ['name="t"\nkernel="/k"\nchannel=["connection=pty"]', /has no name=/],
  'a TPM without a backend': ['name="t"\nkernel="/k"\nvtpm=["uuid=x"]', /has no backend=/],
  'firmware that is not there': ['name="t"\nfirmware="pvgrub64"', /needs pvgrub64\.bin/],
  'firmware and a kernel': ['name="t"\nkernel="/k"\nfirmware="pvgrub64"', /together with kernel/],
  'I/O memory that is none': [
    'name="t"\nkernel="/k"\niomem=["zz"]',
    /^web\.cfg:3: iomem must be like/,
  ],
  'a string without an end': ['name="t', /web\.cfg:1: .*lexical error/],
  'a line without a separator': ['name="t" kernel="/k"', /web\.cfg:1: .*kernel.*syntax error/],
};

for (const [what, [text, message]] of Object.entries(WRONG)) {
  t.test(`refused: ${what}`, { skip: noLibxl }, async (t) => {
    t.throws(() => read(text), { code: 'CONFIGURATION_INVALID', status: 400, message });
  });
}

t.test(
  'keys that nobody knows, and keys that are not carried over',
  { skip: noLibxl },
  async (t) => {
    const { warnings } = read('name="t"\nkernel="/k"\nmemroy=64\nboot="c"\ncpuid="host,tm=0"\n');
    t.same(warnings, [
      { key: 'memroy', place: 'web.cfg:3', text: 'is no key of xl.cfg' },
      { key: 'boot', place: 'web.cfg:4', text: 'is not used here for a pv domain' },
      { key: 'cpuid', place: 'web.cfg:5', text: 'is not used here for a pv domain' },
    ]);
  },
);

t.test('what stands on the command line wins', { skip: noLibxl }, async (t) => {
  const file = 'name="t"\nkernel="/k"\nmemory=64';
  const { config } = read(file, 'name=web', 'memory=0x80', 'cpus="0-3"; vif=["bridge=br0"]');
  t.match(config, {
    c_info: { name: 'web' },
    b_info: { max_memkb: 0x80 * 1024, vcpu_hard_affinity: [[0, 1, 2, 3]] },
    nics: [{ bridge: 'br0' }],
  });
  t.same(read(file, 'extra=a "b" \\c').config.b_info.cmdline, 'a "b" \\c');
  t.throws(() => read(file, 'memory=much'), {
    message: /^the command line: memory must be a whole number/,
  });
});
