/** The library as its users use it: the default driver and limits, one function, nothing switched off. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type DeployedFunction,
  Fabric,
  type FunctionDefinition,
  type Limits,
  type Strategy,
} from '../src/index.js';
import { SOURCES } from './harness/folders.js';
import type { Durations } from './harness/process-per-request.js';
import { check, url } from './requests.js';

/** A deployed function with a fabric of its own; disposing of it closes both. */
export interface Subject extends AsyncDisposable {
  readonly fabric: Fabric;
  readonly fn: DeployedFunction;
}

/** Deploys `bench/functions/NAME.ts`. */
export function deploy(
  name: string,
  strategy: Strategy,
  limits: Partial<Limits> = {},
): Promise<Subject> {
  return open({ name, file: `${SOURCES}functions/${name}.ts`, strategy, limits });
}

/** Deploys a built image that needs no code. */
export function deployImage(image: string, strategy: Strategy): Promise<Subject> {
  return open({ name: image, image, strategy });
}

async function open(definition: FunctionDefinition): Promise<Subject> {
  const fabric = await Fabric.open();
  try {
    const fn = await fabric.deploy(definition);
    return { fabric, fn, [Symbol.asyncDispose]: () => fabric.close() };
  } catch (error) {
    await fabric.close();
    throw error;
  }
}

/** Microseconds of each request. */
export interface FetchDurations {
  /** `fetch(request)` until it has resolved. */
  readonly response: number[];
  /** The same with making the `Request` and reading the body. */
  readonly whole: number[];
}

/**
 * Fetches distinct requests, one after the other. Without a pause, what is left to do after a
 * response, such as a rewind, is in the figure of the next.
 *
 * @param pause milliseconds between a response and the next request; 0 for none at all.
 * @throws Error when an answer is wrong.
 */
export async function fetchInTurn(
  fn: DeployedFunction,
  count: number,
  first: number,
  pause = 0,
): Promise<FetchDurations> {
  const durations: FetchDurations = { response: [], whole: [] };
  for (let number = first; number < first + count; number++) {
    const start = performance.now();
    const request = new Request(url(number));
    const sent = performance.now();
    const response = await fn.fetch(request);
    const answered = performance.now();
    const text = await response.text();
    durations.whole.push((performance.now() - start) * 1000);
    durations.response.push((answered - sent) * 1000);
    check(number, text, fn.name);
    await stayAwake(pause);
  }
  return durations;
}

/** Waits without going to sleep, from which a processor needs some time to come back. */
async function stayAwake(milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) await nextTurn();
}

/** Microseconds of requests by their parts, without the standard's objects. */
export async function requestInTurn(
  fn: DeployedFunction,
  count: number,
  first: number,
): Promise<number[]> {
  const durations: number[] = [];
  for (let number = first; number < first + count; number++) {
    const start = performance.now();
    const reply = await fn.request({ url: url(number) });
    durations.push((performance.now() - start) * 1000);
    check(number, reply.body.toString(), fn.name);
  }
  return durations;
}

/**
 * Makes an instance for each request and ends it after its answer, one after the other: nothing is
 * made ahead, nothing is left to do afterwards.
 */
export async function liveInTurn(
  fn: DeployedFunction,
  count: number,
  first: number,
): Promise<Durations> {
  const durations: Durations = { response: [], life: [] };
  for (let number = first; number < first + count; number++) {
    const start = performance.now();
    const instance = await fn.spawn();
    const response = await instance.fetch(url(number));
    durations.response.push((performance.now() - start) * 1000);
    await instance.kill();
    durations.life.push((performance.now() - start) * 1000);
    check(number, await response.text(), fn.name);
  }
  return durations;
}
