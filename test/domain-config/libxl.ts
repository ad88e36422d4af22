/** Whether the addon over libxl is there: its parsers need no Xen. */
import { loadLibxlAddon } from '../../src/xen/libxl-native.js';

function found(): boolean {
  try {
    loadLibxlAddon();
    return true;
  } catch {
    return false;
  }
}

/** For tap's `skip`. */
export const noLibxl = found()
  ? false
  : 'the addon hatchery_libxl is not built (it needs libxen-dev)';
