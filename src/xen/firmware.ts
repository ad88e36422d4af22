/** Where Xen's installation has the files that a domain may boot by name. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** Debian has a folder for each version of Xen here; upstream and XCP-ng have one. */
const LIBRARIES = '/usr/lib';
const FOLDERS = ['/usr/lib/xen/boot', '/usr/libexec/xen/boot', '/usr/local/lib/xen/boot'];
/** Debian builds GRUB for Xen apart from Xen, under other names (package grub-xen-host). */
const DEBIAN_NAMES: Readonly<Record<string, string>> = {
  'pvgrub32.bin': '/usr/lib/grub-xen/grub-i386-xen.bin',
  'pvgrub64.bin': '/usr/lib/grub-xen/grub-x86_64-xen.bin',
};

function versionedFolders(): string[] {
  return readdirSync(LIBRARIES)
    .filter((name) => /^xen-\d/.test(name))
    .sort()
    .reverse()
    .map((name) => path.join(LIBRARIES, name, 'boot'));
}

/** The path of `name`, or undefined where it is not installed. */
export function findFirmware(name: string): string | undefined {
  const candidates = [...versionedFolders(), ...FOLDERS].map((folder) => path.join(folder, name));
  return [...candidates, DEBIAN_NAMES[name]].find((file) => file !== undefined && existsSync(file));
}
