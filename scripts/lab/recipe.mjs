// What the lab's Dom0 is made of. Everything here goes into the key of the cache: a change makes the
// Dom0 anew.

/** The release of Debian, and of the host: Node and the addons run on the libraries of this one. */
export const RELEASE = 'bookworm';
export const RELEASE_NAME = 'Debian 12';
export const XEN_VERSION = '4.17';

/** Debian packages that are unpacked (never configured) together with all that they depend on. */
export const PACKAGES = [
  'bash',
  'bridge-utils',
  'bsdutils',
  'grub-xen-host',
  'iproute2',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'libxen-dev',
  'linux-image-amd64',
  'mount',
  'procps',
  'util-linux',
  `xen-hypervisor-${XEN_VERSION}-amd64`,
  `xen-utils-${XEN_VERSION}`,
  'xenstore-utils',
];

const XEN_TOOLS = `usr/lib/xen-${XEN_VERSION}/bin`;

/** Programs of these packages that Dom0 has, with their libraries. Everything else is busybox. */
export const PROGRAMS = [
  'bin/bash',
  'bin/ip',
  'bin/mount',
  'bin/umount',
  'bin/ps',
  'sbin/brctl',
  'sbin/bridge',
  'sbin/losetup',
  'usr/bin/flock',
  'usr/bin/script',
  'usr/bin/xenstore',
  ...[
    'libxl-save-helper',
    'lsevtchn',
    'xen-diag',
    'xen-hvmctx',
    'xen-init-dom0',
    'xenconsole',
    'xenconsoled',
    'xenctx',
    'xenstored',
    'xentop',
    'xl',
  ].map((name) => `${XEN_TOOLS}/${name}`),
];

/** Other names of programs. */
export const LINKS = {
  ...Object.fromEntries(
    ['chmod', 'exists', 'list', 'ls', 'read', 'rm', 'watch', 'write'].map((verb) => [
      `usr/bin/xenstore-${verb}`,
      'xenstore',
    ]),
  ),
  ...Object.fromEntries(
    ['xl', 'xentop', 'xen-diag', 'xenstored', 'xenconsoled', 'xen-init-dom0'].map((name) => [
      `usr/sbin/${name}`,
      `/${XEN_TOOLS}/${name}`,
    ]),
  ),
};

/** Folders of these packages that Dom0 has as they are. */
export const FOLDERS = ['etc/xen', 'usr/lib/grub-xen'];

/** Libraries that are there for addons and for what loads them by name (pthread_cancel: libgcc_s). */
export const LIBRARIES =
  /^(libxen\w+|libxlutil|libstdc\+\+|libgcc_s|lib(c|dl|m|pthread|resolv|rt|util))\.so\.\d+(\.\d+)?$/;

/** Modules of Dom0's kernel that are loaded at boot. */
export const BOOT_MODULES = [
  'xen-privcmd',
  'xenfs',
  'xen-evtchn',
  'xen-gntdev',
  'xen-gntalloc',
  'virtio_pci',
  'virtio_console',
];

/** Modules that "modprobe" finds. */
export const OTHER_MODULES = ['xen-netback', 'xen-blkback', 'bridge', 'loop', 'brd', 'tun'];
