/** What building one image may take. */

export interface SandboxLimits {
  /** Of each command, from its start until its end. */
  readonly wallMilliseconds: number;
  /** Processor time of each process. */
  readonly cpuSeconds: number;
  /** Memory that each process may write to. */
  readonly dataBytes: number;
  readonly openFiles: number;
  /** Of each file that is written. */
  readonly fileBytes: number;
  /** Of all files together that are there at a time; looked at several times a second. */
  readonly workBytes: number;
}

const MEBIBYTE = 1024 * 1024;

export const SANDBOX_LIMITS: SandboxLimits = {
  wallMilliseconds: 900_000,
  cpuSeconds: 240,
  dataBytes: 2048 * MEBIBYTE,
  openFiles: 1_024,
  fileBytes: 512 * MEBIBYTE,
  workBytes: 1024 * MEBIBYTE,
};
