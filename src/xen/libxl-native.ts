/** The native addon over libxl and libxlutil (`native/libxl`): its shape, and how it is found. */
import { loadAddon } from '../native-addon.js';
import type { NativeLibxlFailure } from './libxl-failure.js';

/** A value of an xl.cfg file: libxlutil knows strings (numbers are strings too) and lists. */
export type XlValue = string | readonly XlValue[];

/** What came of parsing: a value, or what libxlutil reported. */
export type Parsed<Value> =
  | { readonly value: Value; readonly report: string }
  | { readonly value: undefined; readonly report: string };

export interface LibxlAddon {
  /**
   * Starts an operation on another thread; the event loop is kept alive until it ends.
   *
   * @param operation a name in native/libxl/operations.cc
   * @param numbers its numbers, whole
   * @param texts its strings: names, paths, JSON
   * @param callback gets the result as JSON, once; never called before this function returns
   * @returns a number for {@link abort}
   */
  request(
    operation: string,
    numbers: readonly number[],
    texts: readonly string[],
    callback: (failure: NativeLibxlFailure | null, result: string) => void,
  ): number;
  /** Asks libxl to cut an operation short; it still ends by its callback. Unknown numbers are ignored. */
  abort(request: number): void;
  /**
   * Every event after number `after`, those of before that are still kept first, as JSON.
   * Keeps the event loop alive.
   * @returns a number for {@link unsubscribe}
   */
  subscribe(after: number, callback: (event: string) => void): number;
  unsubscribe(subscription: number): void;
  /** Gives the context back; the last of the process to do so frees it. */
  release(): void;
  /** xlu_cfg_readdata: the values of these keys, where they are given. Needs no Xen. */
  parseConfiguration(
    text: string,
    name: string,
    keys: readonly string[],
  ): Parsed<Readonly<Record<string, XlValue>>>;
  /** xlu_disk_parse: the fields of a `libxl_device_disk` that the specification sets. Needs no Xen. */
  parseDisk(specification: string): Parsed<Readonly<Record<string, string | number | boolean>>>;
  /** xlu_vif_parse_rate: `10MB/s@50ms`. Needs no Xen. */
  parseRate(
    rate: string,
  ): Parsed<{ readonly rate_bytes_per_interval: number; readonly rate_interval_usecs: number }>;
}

/** @throws HatcheryError ADDON_MISSING */
export function loadLibxlAddon(): LibxlAddon {
  return loadAddon('hatchery_libxl') as LibxlAddon;
}
