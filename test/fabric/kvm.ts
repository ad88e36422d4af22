import { detectDriver } from '../../src/drivers/detect.js';

const kvm = detectDriver('kvm');

/** For tap's `skip`: false where KVM works, else why it does not. */
export const noKvm: false | string =
  kvm?.available === true ? false : `needs KVM: ${kvm?.reason ?? 'no driver'}`;
