// Whether KVM works here, found out without any code of ours, so that a fault in ours cannot make
// its own tests be skipped.
import { spawnSync } from 'node:child_process';

const CREATE_VM = `
import fcntl, os
os.close(fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC), 0xAE01, 0))
`;

/** True where /dev/kvm can be opened and makes a virtual machine. */
export function kvmWorks() {
  // As the product sees it: see docs/cli.md.
  if (process.env.HATCHERY_HIDE_KVM === '1') return false;
  return spawnSync('python3', ['-c', CREATE_VM], { stdio: 'ignore' }).status === 0;
}
