/** Whether a request is served, and what is to be done so that nothing of it is left for the next. */

let isStartUp = true;
let isUsed = false;
const endings: (() => void)[] = [];

/** Start-up is over: what begins from now on belongs to a request. */
export function endStartUp(): void {
  isStartUp = false;
}

/** Registers what ends things that a request has begun. */
export function onRequest(end: () => void): void {
  endings.push(end);
}

/** To be called when something is begun that may outlast its request. */
export function leaveSomething(): void {
  isUsed = true;
}

/** Writes nothing where nothing was left: each page that a request writes costs time. */
export function beginRequest(): void {
  if (!isUsed) return;
  isUsed = false;
  for (const end of endings) end();
}

/** Throws during start-up: what is begun then would be in the snapshot, half done, for ever. */
export function requireRequest(what: string): void {
  if (!isStartUp) return;
  throw new Error(
    `${what} works only while a request is served: use it in the handler, not at the top level`,
  );
}
