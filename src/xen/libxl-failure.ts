/** Failures of libxl as typed errors. */
import { type ErrorDetails, HatcheryError } from '../errors.js';

/** `libxl_error`, by number. */
const CODES = {
  [-1]: 'ERROR_NONSPECIFIC',
  [-2]: 'ERROR_VERSION',
  [-3]: 'ERROR_FAIL',
  [-4]: 'ERROR_NI',
  [-5]: 'ERROR_NOMEM',
  [-6]: 'ERROR_INVAL',
  [-7]: 'ERROR_BADFAIL',
  [-8]: 'ERROR_GUEST_TIMEDOUT',
  [-9]: 'ERROR_TIMEDOUT',
  [-10]: 'ERROR_NOPARAVIRT',
  [-11]: 'ERROR_NOT_READY',
  [-12]: 'ERROR_OSEVENT_REG_FAIL',
  [-13]: 'ERROR_BUFFERFULL',
  [-14]: 'ERROR_UNKNOWN_CHILD',
  [-15]: 'ERROR_LOCK_FAIL',
  [-16]: 'ERROR_JSON_CONFIG_EMPTY',
  [-17]: 'ERROR_DEVICE_EXISTS',
  [-18]: 'ERROR_CHECKPOINT_DEVOPS_DOES_NOT_MATCH',
  [-19]: 'ERROR_CHECKPOINT_DEVICE_NOT_SUPPORTED',
  [-20]: 'ERROR_VNUMA_CONFIG_INVALID',
  [-21]: 'ERROR_DOMAIN_NOTFOUND',
  [-22]: 'ERROR_ABORTED',
  [-23]: 'ERROR_NOTFOUND',
  [-24]: 'ERROR_DOMAIN_DESTROYED',
  [-25]: 'ERROR_FEATURE_REMOVED',
  [-26]: 'ERROR_PROTOCOL_ERROR_QMP',
  [-27]: 'ERROR_UNKNOWN_QMP_ERROR',
  [-28]: 'ERROR_QMP_GENERIC_ERROR',
  [-29]: 'ERROR_QMP_COMMAND_NOT_FOUND',
  [-30]: 'ERROR_QMP_DEVICE_NOT_ACTIVE',
  [-31]: 'ERROR_QMP_DEVICE_NOT_FOUND',
  [-32]: 'ERROR_QEMU_API',
} as const;

/** libxl's name of an error. A libxl newer than this table has others, which are `ERROR_<number>`. */
export type LibxlCode = (typeof CODES)[keyof typeof CODES] | `ERROR_${number}`;

/** `xentoollog_level`. */
export type LogLevel =
  | 'debug'
  | 'verbose'
  | 'detail'
  | 'progress'
  | 'info'
  | 'notice'
  | 'warning'
  | 'error'
  | 'critical';

/** One line that libxl, or a library below it, logged. */
export interface LogLine {
  readonly level: LogLevel;
  /** Who says it: `libxl`, `xc`, `xl` … */
  readonly from: string;
  readonly text: string;
  /** The errno that the line is about, where there is one. */
  readonly errno?: number;
}

/** The details of a LIBXL_FAILED. */
export interface LibxlFailure extends ErrorDetails {
  /** What was asked of libxl: the name of a method of `Libxl`. */
  readonly operation: string;
  readonly libxl: LibxlCode;
  /** What was logged during the operation, at level detail and above, the newest lines last. */
  readonly log: readonly LogLine[];
}

/** What the addon gives for a failed operation. */
export interface NativeLibxlFailure {
  readonly operation: string;
  /** A number of `libxl_error`. */
  readonly code: number;
  readonly log: readonly LogLine[];
}

export function libxlCode(number: number): LibxlCode {
  return (CODES as Record<number, LibxlCode>)[number] ?? `ERROR_${Math.abs(number)}`;
}

/** The typed error for an operation that failed. */
export function libxlError(failure: NativeLibxlFailure): HatcheryError {
  const { operation, code, log } = failure;
  const grave = log.filter((line) => ['warning', 'error', 'critical'].includes(line.level));
  const said = (grave.length === 0 ? log.slice(-1) : grave).map((line) => line.text).join('; ');
  return new HatcheryError('LIBXL_FAILED', {
    operation,
    libxl: libxlCode(code),
    said: said === '' ? 'it logged nothing' : said,
    log,
  });
}

/** The details of a LIBXL_FAILED; undefined for any other error. */
export function libxlFailure(error: unknown): LibxlFailure | undefined {
  return error instanceof HatcheryError && error.code === 'LIBXL_FAILED'
    ? (error.details as unknown as LibxlFailure)
    : undefined;
}
