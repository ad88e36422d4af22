/**
 * The frames of host calls, as `images/abi/hatchery.h` specifies them (HOST CALLS). What is decoded
 * here was written by a hostile program.
 */
import { HatcheryError } from './errors.js';

/** `enum hatchery_call_kind`. */
export const CALL_KIND = { fetch: 1, binding: 2, read: 3, cancel: 4 } as const;
export type CallKind = (typeof CALL_KIND)[keyof typeof CALL_KIND];

/** Bytes of `struct hatchery_call`. */
const CALL_HEADER_BYTES = 16;
/** Bytes of `struct hatchery_wait`. */
const WAIT_BYTES = 8;
/** Bytes of `struct hatchery_completion`. */
export const COMPLETION_HEADER_BYTES = 16;
/** The payload of READ and CANCEL: a call's id. */
const ID_BYTES = 4;

const CALL_MORE = 1;
const COMPLETION_MORE = 1;
const COMPLETION_FAILED = 2;
const WAIT_FOREVER = 0xffff_ffff_ffff_ffffn;

export interface CallFrame {
  /** Not 0. */
  readonly call: number;
  readonly kind: CallKind;
  /** The payload goes on in the next frame. */
  readonly more: boolean;
  /** A view of the frame; copy it before the driver uses its memory again. */
  readonly payload: Uint8Array;
}

/** One frame of a completion. */
export interface CompletionFrame {
  readonly call: number;
  readonly failed: boolean;
  readonly more: boolean;
  readonly payload: Uint8Array;
}

/**
 * Reads a call frame.
 * @throws HatcheryError RESPONSE_INVALID
 */
export function decodeCall(frame: Uint8Array): CallFrame {
  if (frame.length < CALL_HEADER_BYTES) {
    throw invalid(`the frame of a host call has ${frame.length} bytes`);
  }
  const view = viewOf(frame);
  const call = view.getUint32(0, true);
  const kind = view.getUint32(4, true);
  const flags = view.getUint32(8, true);
  const payloadBytes = view.getUint32(12, true);
  if (call === 0) {
    throw invalid('a host call has the id 0');
  }
  if (kind < CALL_KIND.fetch || kind > CALL_KIND.cancel) {
    throw invalid(`a host call is of the unknown kind ${kind}`);
  }
  if ((flags & ~CALL_MORE) !== 0) {
    throw invalid(`the flags of a host call are ${flags}`);
  }
  if (payloadBytes !== frame.length - CALL_HEADER_BYTES) {
    throw invalid(`a host call gives its payload as ${payloadBytes} bytes`);
  }
  return {
    call,
    kind: kind as CallKind,
    more: flags === CALL_MORE,
    payload: frame.subarray(CALL_HEADER_BYTES),
  };
}

/**
 * Reads the payload of READ and CANCEL.
 * @throws HatcheryError RESPONSE_INVALID
 */
export function decodeCallId(payload: Uint8Array): number {
  if (payload.length !== ID_BYTES) {
    throw invalid(`the id of a host call has ${payload.length} bytes`);
  }
  return viewOf(payload).getUint32(0, true);
}

/**
 * Reads what WAIT was told.
 * @returns nanoseconds of CLOCK_MONOTONIC; `undefined` is for ever.
 * @throws HatcheryError RESPONSE_INVALID
 */
export function decodeWait(payload: Uint8Array): bigint | undefined {
  if (payload.length !== WAIT_BYTES) {
    throw invalid(`a wait has ${payload.length} bytes`);
  }
  const until = viewOf(payload).getBigUint64(0, true);
  return until === WAIT_FOREVER ? undefined : until;
}

/** @returns a frame of its own, for the request window; the caller sees to it that it fits. */
export function encodeCompletion({ call, failed, more, payload }: CompletionFrame): Uint8Array {
  const frame = new Uint8Array(COMPLETION_HEADER_BYTES + payload.length);
  const view = viewOf(frame);
  view.setUint32(0, call, true);
  view.setUint32(4, (more ? COMPLETION_MORE : 0) | (failed ? COMPLETION_FAILED : 0), true);
  view.setUint32(8, payload.length, true);
  frame.set(payload, COMPLETION_HEADER_BYTES);
  return frame;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function invalid(reason: string): HatcheryError {
  return new HatcheryError('RESPONSE_INVALID', { reason });
}
