import { equal, ok, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';
import { web } from '../web.js';

export const eventCases = [
  standard('Event', 'members', () => {
    const event = new Event('a', { cancelable: true, bubbles: true });
    equal(event.type, 'a');
    equal(event.bubbles, true);
    equal(event.cancelable, true);
    equal(event.composed, false);
    equal(event.target, null);
    equal(event.currentTarget, null);
    equal(event.eventPhase, web.Event.NONE);
    equal(event.isTrusted, false);
    equal(event.defaultPrevented, false);
    ok(event.timeStamp >= 0);
    throws('TypeError', () => new (Event as unknown as new () => Event)());
  }),
  standard('Event', 'preventDefault only where it is cancelable', () => {
    const target = new EventTarget();
    target.addEventListener('a', (event) => event.preventDefault());
    equal(target.dispatchEvent(new Event('a')), true);
    const event = new Event('a', { cancelable: true });
    equal(target.dispatchEvent(event), false);
    equal(event.defaultPrevented, true);
    target.addEventListener('b', (passive) => passive.preventDefault(), { passive: true });
    equal(target.dispatchEvent(new Event('b', { cancelable: true })), true);
  }),
  standard('Event', 'while it is dispatched', () => {
    const target = new EventTarget();
    target.addEventListener('a', (event) => {
      equal(event.target, target);
      equal(event.currentTarget, target);
      same(event.composedPath().length, 1);
      throws('InvalidStateError', () => target.dispatchEvent(event));
    });
    const event = new Event('a');
    target.dispatchEvent(event);
    equal(event.currentTarget, null);
    equal(event.target, target);
    same(event.composedPath(), []);
  }),
  standard('Event', 'stopImmediatePropagation', () => {
    const target = new EventTarget();
    const seen: number[] = [];
    target.addEventListener('a', (event) => {
      seen.push(1);
      event.stopImmediatePropagation();
    });
    target.addEventListener('a', () => seen.push(2));
    target.dispatchEvent(new Event('a'));
    same(seen, [1]);
  }),
  difference('Event', 'is only ever at its target', () => {
    const target = new EventTarget();
    const phases: number[] = [];
    const note = (event: Event) => phases.push(event.eventPhase);
    target.addEventListener('a', note, true);
    target.addEventListener('a', note);
    target.dispatchEvent(new Event('a', { bubbles: true }));
    same(phases, [web.Event.AT_TARGET, web.Event.AT_TARGET]);
  }),
  standard('CustomEvent', 'detail', () => {
    equal(new CustomEvent('a').detail, null);
    const event = new CustomEvent('a', { detail: { b: 1 }, cancelable: true });
    same(event.detail, { b: 1 });
    equal(event.cancelable, true);
    ok(event instanceof Event);
  }),
  standard('EventTarget', 'listeners run in order, each once', () => {
    const target = new EventTarget();
    const seen: string[] = [];
    const first = () => seen.push('first');
    target.addEventListener('a', first);
    target.addEventListener('a', first);
    target.addEventListener('a', { handleEvent: () => seen.push('object') });
    target.addEventListener('b', () => seen.push('other'));
    target.addEventListener('a', null as never);
    target.dispatchEvent(new Event('a'));
    same(seen, ['first', 'object']);
    target.removeEventListener('a', first);
    target.dispatchEvent(new Event('a'));
    same(seen, ['first', 'object', 'object']);
  }),
  standard('EventTarget', 'once, signal and this', () => {
    const target = new EventTarget();
    const controller = new AbortController();
    let count = 0;
    target.addEventListener('a', () => count++, { once: true });
    target.addEventListener('a', () => count++, { signal: controller.signal });
    target.addEventListener('a', function (this: unknown) {
      equal(this, target);
    });
    target.dispatchEvent(new Event('a'));
    target.dispatchEvent(new Event('a'));
    equal(count, 3);
    controller.abort();
    target.dispatchEvent(new Event('a'));
    equal(count, 3);
  }),
  standard('EventTarget', 'what is removed or added meanwhile', () => {
    const target = new EventTarget();
    const seen: string[] = [];
    const second = () => seen.push('second');
    target.addEventListener('a', () => {
      target.removeEventListener('a', second);
      target.addEventListener('a', () => seen.push('late'));
    });
    target.addEventListener('a', second);
    target.dispatchEvent(new Event('a'));
    same(seen, []);
  }),
  standard('EventTarget', 'a listener that throws does not stop the others', () => {
    const target = new EventTarget();
    let reached = false;
    target.addEventListener('a', () => {
      throw new Error('expected in the log');
    });
    target.addEventListener('a', () => {
      reached = true;
    });
    target.dispatchEvent(new Event('a'));
    equal(reached, true);
  }),
  difference('EventTarget', 'the global object is none', () => {
    equal('addEventListener' in globalThis, false);
    equal('dispatchEvent' in globalThis, false);
  }),
  standard('AbortController', 'aborts its signal once', () => {
    const controller = new AbortController();
    const { signal } = controller;
    equal(controller.signal, signal);
    let count = 0;
    signal.addEventListener('abort', () => count++);
    signal.onabort = () => count++;
    controller.abort('why');
    controller.abort('again');
    equal(signal.aborted, true);
    equal(signal.reason, 'why');
    equal(count, 2);
    throws('TypeError', () => new (AbortSignal as unknown as new () => AbortSignal)());
  }),
  standard('AbortSignal', 'abort and throwIfAborted', () => {
    const signal = AbortSignal.abort();
    equal(signal.aborted, true);
    ok(signal.reason instanceof DOMException);
    throws('AbortError', () => signal.throwIfAborted());
    new AbortController().signal.throwIfAborted();
  }),
  standard('AbortSignal', 'any follows all of them', () => {
    const { any } = AbortSignal as unknown as { any(signals: AbortSignal[]): AbortSignal };
    const [first, second] = [new AbortController(), new AbortController()];
    const signal = any([first.signal, second.signal]);
    const chained = any([signal]);
    let count = 0;
    chained.addEventListener('abort', () => count++);
    second.abort('why');
    first.abort('other');
    equal(signal.reason, 'why');
    equal(chained.reason, 'why');
    equal(count, 1);
    equal(any([AbortSignal.abort(1), AbortSignal.abort(2)]).reason, 1);
    equal(any([]).aborted, false);
  }),
];
