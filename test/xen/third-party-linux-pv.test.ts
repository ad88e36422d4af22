/** Debian's Linux as PV, from a file of xl.cfg. Runs in the lab. */
import { testLinux } from './linux-guest.js';

await testLinux('pv');
