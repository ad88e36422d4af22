/** Checks requests by the schemas of their operations; what is wrong is named by its path. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { HatcheryError } from '../../errors.js';

const OPTIONS = { allErrors: false, removeAdditional: false, useDefaults: false, strict: true };
const KEYWORDS = ['maxItems'];
/** Bodies say what they mean; in paths and queries everything is text. */
const exact = new Ajv({ ...OPTIONS, coerceTypes: false, strictTypes: false });
const fromText = new Ajv({ ...OPTIONS, coerceTypes: true, strictTypes: false });

/**
 * For fastify: a function that gives an error or nothing. It is compiled when it is first called: all of
 * them together take a third of the server's start.
 */
export function compileValidator({
  schema,
  httpPart,
}: {
  readonly schema: unknown;
  readonly httpPart?: string | undefined;
}): (data: unknown) => { error: Error } | true {
  const isBody = httpPart === 'body';
  let validate: ValidateFunction | undefined;
  return (data) => {
    validate ??= (isBody ? exact : fromText).compile(schema as object);
    if (validate(data)) {
      return true;
    }
    const [first] = validate.errors ?? [];
    return { error: invalid(httpPart ?? 'request', first) };
  };
}

function invalid(part: string, error: ErrorObject | undefined): HatcheryError {
  const steps = (error?.instancePath ?? '')
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const { additionalProperty, missingProperty } = error?.params ?? {};
  const named = additionalProperty ?? missingProperty;
  const path = [...steps, ...(named === undefined ? [] : [String(named)])].join('.');
  return new HatcheryError('CONFIGURATION_INVALID', {
    path: path === '' ? part : path,
    problem: problemOf(error),
  });
}

function problemOf(error: ErrorObject | undefined): string {
  const { keyword, message = 'is not valid', params = {} } = error ?? {};
  switch (keyword) {
    case 'additionalProperties':
      return 'is not a field that there is';
    case 'required':
      return 'must be given';
    case 'const':
    case 'anyOf':
      return 'is not one of the values that it may have';
    case 'pattern':
      return `must match ${String((params as { pattern?: string }).pattern)}`;
    default:
      return KEYWORDS.includes(keyword ?? '') ? 'has too many entries' : message;
  }
}
