import { host } from './host.js';

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

/** Starts and ends the dispatch of an event; returns whether a listener asked to stop at once. */
let beginDispatch: (event: Event, target: EventTarget) => void;
let endDispatch: (event: Event) => void;
let wantsStop: (event: Event) => boolean;
let setInPassiveListener: (event: Event, isPassive: boolean) => void;

/** The DOM standard's Event. There is no tree, so that an event is only ever at its target. */
export class Event {
  static readonly NONE = 0;
  static readonly CAPTURING_PHASE = 1;
  static readonly AT_TARGET = 2;
  static readonly BUBBLING_PHASE = 3;

  readonly type: string;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly timeStamp = host.now();
  #target: EventTarget | null = null;
  #isDispatching = false;
  #isStopped = false;
  #isStoppedAtOnce = false;
  #isCanceled = false;
  #isInPassiveListener = false;

  static {
    beginDispatch = (event, target) => {
      if (event.#isDispatching) {
        throw new DOMException('the event is being dispatched already', 'InvalidStateError');
      }
      event.#isDispatching = true;
      event.#target = target;
    };
    endDispatch = (event) => {
      event.#isDispatching = false;
      event.#isStopped = false;
      event.#isStoppedAtOnce = false;
    };
    wantsStop = (event) => event.#isStoppedAtOnce;
    setInPassiveListener = (event, isPassive) => {
      event.#isInPassiveListener = isPassive;
    };
  }

  constructor(...parameters: [type?: string, init?: EventInit]) {
    if (parameters.length === 0) throw new TypeError('Event: the type is missing');
    const [type, init] = parameters;
    this.type = String(type);
    this.bubbles = Boolean(init?.bubbles);
    this.cancelable = Boolean(init?.cancelable);
    this.composed = Boolean(init?.composed);
  }

  get target(): EventTarget | null {
    return this.#target;
  }

  get srcElement(): EventTarget | null {
    return this.#target;
  }

  get currentTarget(): EventTarget | null {
    return this.#isDispatching ? this.#target : null;
  }

  get eventPhase(): number {
    return this.#isDispatching ? Event.AT_TARGET : Event.NONE;
  }

  get isTrusted(): boolean {
    return false;
  }

  get defaultPrevented(): boolean {
    return this.#isCanceled;
  }

  get returnValue(): boolean {
    return !this.#isCanceled;
  }

  get cancelBubble(): boolean {
    return this.#isStopped;
  }

  set cancelBubble(isStopped: boolean) {
    if (isStopped) this.#isStopped = true;
  }

  composedPath(): EventTarget[] {
    return this.#isDispatching && this.#target !== null ? [this.#target] : [];
  }

  preventDefault(): void {
    if (this.cancelable && !this.#isInPassiveListener) this.#isCanceled = true;
  }

  stopPropagation(): void {
    this.#isStopped = true;
  }

  stopImmediatePropagation(): void {
    this.#isStopped = true;
    this.#isStoppedAtOnce = true;
  }

  get [Symbol.toStringTag](): string {
    return 'Event';
  }
}

export class CustomEvent<Detail = unknown> extends Event {
  readonly detail: Detail | null;

  constructor(type: string, init: EventInit & { detail?: Detail } = {}) {
    super(type, init);
    this.detail = init?.detail ?? null;
  }

  override get [Symbol.toStringTag](): string {
    return 'CustomEvent';
  }
}

export type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface Registration {
  readonly type: string;
  readonly listener: Listener;
  readonly isCapture: boolean;
  readonly isOnce: boolean;
  readonly isPassive: boolean;
  isRemoved: boolean;
}

interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: { readonly aborted: boolean } & EventTarget;
}

/** Called with what a listener threw; errors.ts sets it to report to the log. */
let reportListenerError: (error: unknown) => void = () => {};
export function onListenerError(report: (error: unknown) => void): void {
  reportListenerError = report;
}

/** The DOM standard's EventTarget. */
export class EventTarget {
  #registrations: Registration[] | undefined;

  addEventListener(
    type: string,
    listener: Listener | null,
    options: ListenerOptions | boolean = {},
  ): void {
    const settings = typeof options === 'boolean' ? { capture: options } : options;
    if (listener === null || settings.signal?.aborted === true) return;
    if (typeof listener !== 'function' && typeof listener !== 'object') {
      throw new TypeError('addEventListener: the listener is neither a function nor an object');
    }
    const isCapture = Boolean(settings.capture);
    if (this.#find(type, listener, isCapture) !== undefined) return;
    this.#registrations ??= [];
    this.#registrations.push({
      type: String(type),
      listener,
      isCapture,
      isOnce: Boolean(settings.once),
      isPassive: Boolean(settings.passive),
      isRemoved: false,
    });
    settings.signal?.addEventListener('abort', () => {
      this.removeEventListener(type, listener, isCapture);
    });
  }

  removeEventListener(
    type: string,
    listener: Listener | null,
    options: { capture?: boolean } | boolean = {},
  ): void {
    if (listener === null) return;
    const isCapture = Boolean(typeof options === 'boolean' ? options : options.capture);
    const registration = this.#find(type, listener, isCapture);
    if (registration !== undefined) this.#remove(registration);
  }

  /** Calls the listeners, those for capture first; what one throws is reported to the log. */
  dispatchEvent(event: Event): boolean {
    if (!(event instanceof Event)) throw new TypeError('dispatchEvent: not an Event');
    beginDispatch(event, this);
    const registrations = this.#registrations?.filter(({ type }) => type === event.type) ?? [];
    registrations.sort((a, b) => Number(b.isCapture) - Number(a.isCapture));
    for (const registration of registrations) {
      if (wantsStop(event)) break;
      if (!registration.isRemoved) this.#call(registration, event);
    }
    endDispatch(event);
    return !event.defaultPrevented;
  }

  #find(type: string, listener: Listener, isCapture: boolean): Registration | undefined {
    return this.#registrations?.find(
      (other) =>
        other.type === String(type) && other.listener === listener && other.isCapture === isCapture,
    );
  }

  #remove(registration: Registration): void {
    registration.isRemoved = true;
    this.#registrations = this.#registrations?.filter((other) => other !== registration);
  }

  #call(registration: Registration, event: Event): void {
    if (registration.isOnce) this.#remove(registration);
    setInPassiveListener(event, registration.isPassive);
    try {
      const { listener } = registration;
      if (typeof listener === 'function') listener.call(this, event);
      else listener.handleEvent(event);
    } catch (error) {
      reportListenerError(error);
    }
    setInPassiveListener(event, false);
  }

  get [Symbol.toStringTag](): string {
    return 'EventTarget';
  }
}
