/** Reads `--request` of `instance request`: as for `run`. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { InstanceRequest } from '../../client/index.js';
import { HatcheryError } from '../../errors.js';

const REQUEST = v.strictObject({
  url: v.optional(v.string()),
  method: v.optional(v.string()),
  headers: v.optional(v.record(v.string(), v.string())),
  body: v.optional(v.string()),
});

const STANDARD_INPUT = 0;

/** @throws HatcheryError INVALID_ARGUMENT */
export function readInstanceRequest(text: string): InstanceRequest {
  try {
    const json = text === '-' ? readFileSync(STANDARD_INPUT, 'utf8') : text;
    const { url, method, headers, body } = v.parse(REQUEST, JSON.parse(json));
    return {
      ...(url === undefined ? {} : { url }),
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers: Object.entries(headers) }),
      ...(body === undefined ? {} : { body }),
    };
  } catch (cause) {
    const at = cause instanceof v.ValiError ? `${v.getDotPath(cause.issues[0]) ?? ''}: ` : '';
    const problem = `--request is not a request: ${at}${(cause as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
  }
}
