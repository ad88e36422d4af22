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
    return {
      name,
      state: 'lacking',
      detail: `this user may not open it (mode ${(mode & 0o777).toString(8)}, group ${groupName(gid)})`,
      remedy:
        `Add the user to that group ("sudo usermod -aG ${groupName(gid)} $USER") and log in ` +
        'again; in a container, pass the device ("--device /dev/kvm") and its group.',
    };
  }
}

function absentRemedy(): string {
  const flags = cpuFlags();
  const module = flags.has('svm') ? 'kvm_amd' : 'kvm_intel';
  if (isContainer()) {
    return (
      'In a container, pass the device: "docker run --device /dev/kvm …". If the host has none ' +
      `either, load its module there: "sudo modprobe ${module}".`
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
