/** Which request is being served: some APIs need one, and what one began ends with it. */

/** 0 during start-up. */
let requests = 0;
const endings: (() => void)[] = [];

/** Registers what is to be done before each request, so that nothing is left of the one before. */
export function onRequest(end: () => void): void {
  endings.push(end);
}

export function beginRequest(): void {
  requests += 1;
  for (const end of endings) end();
}

/** Throws during start-up: what is begun then would be in the snapshot, half done, for ever. */
export function requireRequest(what: string): void {
  if (requests > 0) return;
  throw new Error(
    `${what} works only while a request is served: use it in the handler, not at the top level`,
  );
}
