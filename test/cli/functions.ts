/** Functions that the tests of the command line deploy. */

/** Says what it got: URL, method, a header, the body, its environment. */
export const ECHO = `
export default {
  async fetch(request: Request, env: Record<string, string>) {
    const body = await request.text();
    const header = request.headers.get('x-test');
    return Response.json({ url: request.url, method: request.method, header, body, env });
  },
};`;

export const BYTES = `
export default { fetch: () => new Response(new Uint8Array([0xff, 0x00, 0xfe])) };`;

export const THROWS = `
export default { fetch() { throw new TypeError('no such planet'); } };`;

export const LOOPS = `
export default { fetch() { for (;;) {} } };`;

export const EATS_MEMORY = `
export default { fetch() { const all = []; for (;;) all.push(new Uint8Array(1 << 20)); } };`;

export const STARTUP_THROWS = `
throw new RangeError('too early');
export default { fetch: () => new Response('never') };`;

export const NO_SYNTAX = `
export default { fetch( { return; } };`;

/** Answers with a fixed text. */
export function says(text: string): string {
  return `export default { fetch: () => new Response(${JSON.stringify(text)}) };`;
}
