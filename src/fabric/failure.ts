/** Says of a guest that did not answer what happened and what to do about it. */
import { decodePanic, decodeThrown, type PanicReport } from '../channel.js';
import type { Exit } from '../drivers/driver.js';
import { type ErrorCode, HatcheryError } from '../errors.js';
import type { TraceMapper } from '../image/source-maps.js';
import type { Limits } from './limits.js';
import type { Redaction } from './redaction.js';

/** Longest trace that is kept, in characters. */
const TRACE_LENGTH = 16_384;

/** What is known of a function when one of its instances fails. */
export interface FailureFacts {
  /** The function's name. */
  readonly function: string;
  readonly limits: Limits;
  readonly redaction: Redaction;
  /** Absent for images without source maps. */
  readonly traces: TraceMapper | undefined;
  /** Names a place in the image. */
  symbolAt(address: number): string | undefined;
}

/** Makes errors of one function's failures. */
export class Failures {
  readonly #facts: FailureFacts;

  constructor(facts: FailureFacts) {
    this.#facts = facts;
  }

  /** An exit by which a guest gave up while it served. */
  whileServing(exit: Exit): HatcheryError {
    switch (exit.kind) {
      case 'deadline':
        return this.deadline();
      case 'cpu':
        return this.cpu();
      case 'panic':
        return this.#panicWhileServing(decodePanic(exit.payload));
      case 'crash':
        return this.#crash(exit);
      default:
        return this.#error('RESPONSE_INVALID', { reason: `${exit.kind} at the wrong moment` });
    }
  }

  /** The time for a request is over. */
  deadline(): HatcheryError {
    return this.#error('DEADLINE_EXCEEDED', { limit: this.#facts.limits.wallMilliseconds });
  }

  /** The processor time for a request is used up. */
  cpu(): HatcheryError {
    return this.#error('CPU_EXCEEDED', { limit: this.#facts.limits.cpuMilliseconds });
  }

  /** The guest waits for something that never comes. */
  stalled(text: string): HatcheryError {
    return this.#error('FUNCTION_STALLED', { text: this.#redacted(text) });
  }

  /** An exit by which a guest gave up before it was ready. */
  whileStarting(exit: Exit): HatcheryError {
    switch (exit.kind) {
      case 'deadline':
        return this.#error('STARTUP_TIMEOUT', {
          limit: this.#facts.limits.startupMilliseconds,
          trace: 'an unknown place',
        });
      case 'panic':
        return this.#panicWhileStarting(decodePanic(exit.payload));
      case 'crash': {
        const crash = this.#crash(exit);
        const { reason, where } = crash.details;
        return this.#error('STARTUP_FAILED', { ...crash.details, trace: `${reason} at ${where}` });
      }
      default:
        return this.#error('STARTUP_FAILED', { trace: `${exit.kind} before it was ready` });
    }
  }

  /** What the handler threw. @param report JSON, as the guest wrote it. */
  thrown(report: string): HatcheryError {
    const { name, message, trace, cause } = this.#trace(report);
    return this.#error('FUNCTION_THREW', { name, message, trace }, cause);
  }

  #panicWhileServing({ reason, text }: PanicReport): HatcheryError {
    switch (reason) {
      case 'stalled':
        return this.stalled(text);
      case 'broken':
        return this.thrown(text);
      case 'memory':
        return this.#error('MEMORY_EXCEEDED', { limit: this.#facts.limits.memoryBytes });
      default:
        return this.#error('FUNCTION_CRASHED', {
          reason: this.#redacted(firstLine(text)),
          where: 'unknown',
        });
    }
  }

  /** The guest's own clock ends start-up code by QuickJS's `InternalError: interrupted`. */
  #panicWhileStarting({ reason, text }: PanicReport): HatcheryError {
    if (reason === 'memory') {
      return this.#error('MEMORY_EXCEEDED', { limit: this.#facts.limits.memoryBytes });
    }
    const { name, message, trace, cause } = this.#trace(text);
    if (name === 'InternalError' && message === 'interrupted') {
      const limit = this.#facts.limits.startupMilliseconds;
      return this.#error('STARTUP_TIMEOUT', { limit, trace }, cause);
    }
    const code = reason === 'pending' ? 'STARTUP_PENDING' : 'STARTUP_FAILED';
    return this.#error(code, { trace }, cause);
  }

  #crash(exit: Exit): HatcheryError {
    const address = exit.fault?.instructionPointer;
    return this.#error('FUNCTION_CRASHED', {
      reason: exit.fault?.reason ?? 'for an unknown reason',
      where: address === undefined ? 'an unknown place' : this.#place(address),
    });
  }

  #place(address: number): string {
    return this.#facts.symbolAt(address) ?? `0x${address.toString(16)}`;
  }

  #trace(report: string) {
    const thrown = decodeThrown(report);
    const name = this.#redacted(thrown.name);
    const message = this.#redacted(thrown.message);
    const frames = this.#redacted(thrown.stack).slice(0, TRACE_LENGTH);
    const mapped = (this.#facts.traces?.apply(frames) ?? frames).trimEnd();
    const heading = message === '' ? name : `${name}: ${message.slice(0, TRACE_LENGTH)}`;
    const trace = mapped === '' ? heading : `${heading}\n${mapped}`;
    const cause = new Error(message);
    cause.name = name;
    cause.stack = trace;
    return { name, message, trace, cause };
  }

  #redacted(text: string): string {
    return this.#facts.redaction.apply(text);
  }

  #error(
    code: ErrorCode,
    details: Readonly<Record<string, unknown>>,
    cause?: Error,
  ): HatcheryError {
    return new HatcheryError(code, { function: this.#facts.function, ...details }, { cause });
  }
}

function firstLine(text: string): string {
  return text.slice(0, 200).split('\n', 1)[0] as string;
}
