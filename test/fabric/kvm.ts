import { detectDrivers } from '../../src/drivers/detect.js';

const kvm = detectDrivers().find((driver) => driver.name === 'kvm')?.availability;

/** For tap's `skip`: false where KVM works, else why it does not. */
export const noKvm: false | string =
  kvm?.available === true ? false : `needs KVM: ${kvm?.reason ?? 'no driver'}`;
