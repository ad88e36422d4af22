import { setTimeout as sleep } from 'node:timers/promises';

/** Enough for what goes on behind a call to be over. The emulated clock leaps over idle time. */
const MILLISECONDS = 100;

/** Waits until destroyed domains are gone and shells are there again. */
export const settle = () => sleep(MILLISECONDS);
