/** What clients may upload. */
export interface UploadLimits {
  /** Of an image's code, in bytes: it is read into memory as a whole. */
  readonly imageBytes: number;
  /** Of all images that are kept here, in bytes. */
  readonly totalBytes: number;
  /** How long an image that no function uses, or a blob that no manifest came for, is kept. */
  readonly keptMilliseconds: number;
}

const MEBIBYTE = 1024 * 1024;

export const UPLOAD_LIMITS: UploadLimits = {
  imageBytes: 256 * MEBIBYTE,
  totalBytes: 4096 * MEBIBYTE,
  keptMilliseconds: 3_600_000,
};

/** Of an image's configuration: where it came from is in it, source by source. */
export const CONFIG_BYTES = 1 * MEBIBYTE;
/** Blobs that come at the same time; more are refused. */
export const UPLOADS_AT_ONCE = 16;
/** So that many small ones do not fill a folder. */
export const MOST_BLOBS = 10_000;
export const COLLECT_MILLISECONDS = 600_000;
