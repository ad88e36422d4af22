/** The KVM device: whether it is there, and whether this user may open it. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import type { Check } from './check.js';

const DEVICE = '/dev/kvm';

/** Is the device there, and may this user open it? The reasons differ, and so do the remedies. */
export function checkDevice(): Check {
  const name = DEVICE;
  if (!existsSync(DEVICE)) {
    return { name, state: 'lacking', detail: 'does not exist', remedy: absentRemedy() };
  }
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return { name, state: 'ok', detail: 'can be read and written' };
  } catch {
    const { mode, gid } = statSync(DEVICE);
    const group = groupName(gid);
    const octal = (mode & 0o777).toString(8);
    return {
      name,
      state: 'lacking',
      detail: `this user may not open it (mode ${octal}, group ${group})`,
      remedy:
        `${mayGroupOpen(mode, gid) ? '' : GIVE_TO_GROUP}Add the user to the group ` +
        `("sudo usermod -aG ${mayGroupOpen(mode, gid) ? group : 'kvm'} $USER") and log in again; ` +
        'in a container, pass the device ("--device /dev/kvm") and its group.',
    };
  }
}

const GIVE_TO_GROUP =
  'Give the device to the group kvm ("sudo groupadd -f kvm; sudo chgrp kvm /dev/kvm; ' +
  'sudo chmod 660 /dev/kvm"; udev does so at each start where its rules are installed). ';

/** Nobody should join the group root to use a device. */
function mayGroupOpen(mode: number, gid: number): boolean {
  return gid !== 0 && (mode & 0o060) === 0o060;
}

function absentRemedy(): string {
  const flags = cpuFlags();
  const module = flags.has('svm')
    ? 'kvm_amd'
    : flags.has('vmx')
      ? 'kvm_intel'
      : 'kvm_intel or kvm_amd';
  if (isContainer()) {
    return (
      'In a container, pass the device: "docker run --device /dev/kvm …". If the host has none ' +
      `either, load its module there (sudo modprobe, ${module}).`
    );
  }
  if (flags.has('svm') || flags.has('vmx')) {
    return `Load the kernel module: "sudo modprobe ${module}".`;
  }
  return flags.has('hypervisor')
    ? 'This is a virtual machine whose CPU offers no virtualisation: switch nested virtualisation ' +
        'on for it, in its provider’s settings or with the host’s "kvm_intel.nested=1".'
    : 'Switch virtualisation (VT-x or AMD-V) on in the firmware settings of this machine.';
}

function cpuFlags(): Set<string> {
  const line = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return new Set(line?.[1]?.split(' ') ?? []);
}

function isContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}

function groupName(gid: number): string {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.split(':')[2] === String(gid));
  return line?.split(':')[0] ?? String(gid);
}
