import { detectDrivers } from '../../src/drivers/detect.js';

const drivers = detectDrivers().filter(({ availability }) => availability.available);

/** For tap's `skip`, where it is all the same what runs guests: false where anything does. */
export const noDriver: false | string = drivers.length === 0 && 'nothing here runs guests';
