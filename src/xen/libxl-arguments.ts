/** Checks arguments before libxl sees them. */
import { HatcheryError } from '../errors.js';

/** Numbers of domains end before Xen's reserved ones (DOMID_FIRST_RESERVED). */
const LAST_DOMID = 0x7fef;

function refuse(problem: string): never {
  throw new HatcheryError('INVALID_ARGUMENT', { problem });
}

/** @throws HatcheryError INVALID_ARGUMENT */
export function checkNumber(value: number, least: number, most: number, what: string): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    refuse(`${value} is not ${what}, which is whole and from ${least} to ${most}`);
  }
  return value;
}

/** The number of a domain other than Dom0. */
export function checkDomid(domid: number): number {
  return checkNumber(domid, 1, LAST_DOMID, 'the number of a guest');
}

export function checkDomidOrZero(domid: number): number {
  return checkNumber(domid, 0, LAST_DOMID, 'the number of a domain');
}

/** A name as libxl and xenstore take them. */
export function checkName(name: string): string {
  if (typeof name !== 'string' || !/^[^\s/\0]{1,255}$/.test(name)) {
    refuse(`${JSON.stringify(name)} is not a name: 1 to 255 characters, no spaces, no slashes`);
  }
  return name;
}

/** Numbers of processors, in ascending order, as a bitmap in JSON must have them. */
export function checkNumbers(numbers: readonly number[]): readonly number[] {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  for (const number of sorted) {
    checkNumber(number, 0, 4095, 'the number of a processor');
  }
  return sorted.length === 0 ? refuse('no processor is given') : sorted;
}
