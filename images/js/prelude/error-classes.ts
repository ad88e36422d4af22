import { ERRORS } from '../../../src/structured-values/format.js';

/** Taken at start-up: the program may put others in their place. */
const CLASSES = new Map(ERRORS.map((Class) => [Class.name, Class]));

/** The standard's class of errors of that name. */
export function errorClass(name: string): ErrorConstructor | undefined {
  return CLASSES.get(name);
}
