/** What the soak test sends requests to: a function that behaves as each request says. */

const behaviours: Record<string, (ctx: { waitUntil(work: unknown): void }) => unknown> = {
  good: () => Response.json({ hello: 'world' }),
  wait: async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response('waited');
  },
  stream: () => {
    let left = 4;
    return new Response(
      new ReadableStream({
        pull(controller) {
          left -= 1;
          controller.enqueue(new TextEncoder().encode('chunk\n'));
          if (left === 0) controller.close();
        },
      }),
    );
  },
  later: (ctx) => {
    ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, 10)));
    return new Response('now');
  },
  throw: () => {
    throw new Error('on purpose');
  },
  hang: () => {
    for (;;);
  },
  stall: () => new Promise(() => {}),
  sleep: () => new Promise(() => setInterval(() => {}, 1000)),
  hungry: () => {
    const all: Uint8Array[] = [];
    for (;;) all.push(new Uint8Array(1 << 20).fill(1));
  },
  chatty: () => {
    for (;;) console.log('x'.repeat(4000));
  },
};

export default {
  fetch(request: Request, _env: unknown, ctx: { waitUntil(work: unknown): void }) {
    const behave = behaviours[new URL(request.url).pathname.slice(1)];
    return behave === undefined ? new Response('unknown', { status: 404 }) : behave(ctx);
  },
};
