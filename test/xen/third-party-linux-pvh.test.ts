/** Debian's Linux as PVH, from a file of xl.cfg. Runs in the lab. */
import { testLinux } from './linux-guest.js';

await testLinux('pvh');
