import { bytes, drain, equal, ok, rejects, same, throws } from '../assert.js';
import { standard } from '../case.js';

function streamOf<Chunk>(...chunks: Chunk[]): ReadableStream<Chunk> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

export const streamCases = [
  standard('ReadableStream', 'pulls when there is room', async () => {
    let count = 0;
    const stream = new ReadableStream<number>({
      pull(controller) {
        if (count === 3) controller.close();
        else controller.enqueue(++count);
      },
    });
    equal(stream.locked, false);
    same(await drain(stream), [1, 2, 3]);
    equal(stream.locked, true);
    throws('TypeError', () => stream.getReader());
  }),
  standard('ReadableStream', 'tee', async () => {
    const [first, second] = streamOf('a', 'b').tee();
    same(await drain(first), ['a', 'b']);
    same(await drain(second), ['a', 'b']);
  }),
  standard('ReadableStream', 'asynchronous iteration releases or cancels', async () => {
    const seen: number[] = [];
    for await (const chunk of streamOf(1, 2)) seen.push(chunk);
    same(seen, [1, 2]);
    let reason: unknown = 'not cancelled';
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(0),
      cancel(why) {
        reason = why;
      },
    });
    for await (const _ of endless) break;
    equal(reason, undefined);
  }),
  standard('ReadableStream', 'from', async () => {
    const { from } = ReadableStream as unknown as { from(list: unknown): ReadableStream<number> };
    same(await drain(from([1, 2])), [1, 2]);
  }),
  standard('ReadableStream', 'pipeTo and pipeThrough', async () => {
    const seen: string[] = [];
    const upper = new TransformStream<string, string>({
      transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),
    });
    const sink = new WritableStream<string>({
      write: (chunk) => {
        seen.push(chunk);
      },
      close: () => {
        seen.push('closed');
      },
    });
    await streamOf('a', 'b').pipeThrough(upper).pipeTo(sink);
    same(seen, ['A', 'B', 'closed']);
  }),
  standard('ReadableStream', 'pipeTo carries errors and obeys a signal', async () => {
    const failing = new ReadableStream({
      pull() {
        throw new RangeError('expected');
      },
    });
    await rejects('RangeError', failing.pipeTo(new WritableStream()));
    const signal = AbortSignal.abort();
    await rejects('AbortError', streamOf(1).pipeTo(new WritableStream(), { signal }));
  }),
  standard('ReadableStreamDefaultReader', 'read, releaseLock, closed, cancel', async () => {
    const stream = streamOf(1, 2);
    const reader = stream.getReader();
    ok(reader instanceof ReadableStreamDefaultReader);
    same(await reader.read(), { value: 1, done: false });
    reader.releaseLock();
    await rejects('TypeError', reader.read());
    const second = new ReadableStreamDefaultReader(stream);
    await second.cancel();
    await second.closed;
    same(await second.read(), { done: true });
  }),
  standard('ReadableStreamDefaultController', 'desiredSize, close, error', async () => {
    let controller!: ReadableStreamDefaultController<string>;
    const stream = new ReadableStream<string>(
      {
        start(given) {
          controller = given;
        },
      },
      { highWaterMark: 3, size: (chunk) => (chunk as string).length },
    );
    ok(controller instanceof ReadableStreamDefaultController);
    equal(controller.desiredSize, 3);
    controller.enqueue('ab');
    equal(controller.desiredSize, 1);
    controller.error(new RangeError('expected'));
    await rejects('RangeError', stream.getReader().read());
    throws('TypeError', () => controller.enqueue('c'));
  }),
  standard('ReadableByteStreamController', 'takes views only and detaches them', async () => {
    const stream = new ReadableStream({
      type: 'bytes',
      start(controller) {
        ok(controller instanceof ReadableByteStreamController);
        throws('TypeError', () => controller.enqueue('text' as never));
        const view = bytes(1, 2);
        controller.enqueue(view);
        equal(view.byteLength, 0);
        controller.close();
      },
    });
    const [chunk] = (await drain(stream)) as Uint8Array[];
    same([...(chunk as Uint8Array)], [1, 2]);
  }),
  standard('ReadableStreamBYOBReader', 'fills the reader’s view', async () => {
    const stream = new ReadableStream({
      type: 'bytes',
      start(controller) {
        controller.enqueue(bytes(1, 2, 3));
        controller.close();
      },
    });
    const reader = stream.getReader({ mode: 'byob' });
    ok(reader instanceof ReadableStreamBYOBReader);
    const first = await reader.read(new Uint8Array(2));
    same([...(first.value as Uint8Array)], [1, 2]);
    const second = await reader.read(new Uint8Array(2));
    same([...(second.value as Uint8Array)], [3]);
    equal((await reader.read(new Uint8Array(2))).done, true);
  }),
  standard('ReadableStreamBYOBRequest', 'is answered by respond', async () => {
    const stream = new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: 4,
      pull(controller) {
        const request = controller.byobRequest;
        ok(request instanceof ReadableStreamBYOBRequest);
        equal(request?.view?.byteLength, 4);
        new Uint8Array(request?.view?.buffer as ArrayBuffer)[0] = 7;
        request?.respond(1);
        controller.close();
      },
    });
    const [chunk] = (await drain(stream)) as Uint8Array[];
    same([...(chunk as Uint8Array)], [7]);
  }),
  standard('WritableStream', 'one write after the other, with backpressure', async () => {
    const seen: unknown[] = [];
    const stream = new WritableStream<string>({
      async write(chunk) {
        seen.push(`begin ${chunk}`);
        await undefined;
        seen.push(`end ${chunk}`);
      },
      close() {
        seen.push('closed');
      },
    });
    const writer = stream.getWriter();
    equal(stream.locked, true);
    equal(writer.desiredSize, 1);
    void writer.write('a');
    equal(writer.desiredSize, 0);
    void writer.write('b');
    await writer.close();
    same(seen, ['begin a', 'end a', 'begin b', 'end b', 'closed']);
  }),
  standard('WritableStream', 'abort', async () => {
    let reason: unknown;
    const stream = new WritableStream({
      abort(why) {
        reason = why;
      },
    });
    await stream.abort('why');
    equal(reason, 'why');
    await rejects('TypeError', new WritableStream().getWriter().abort.call({} as never));
  }),
  standard('WritableStreamDefaultController', 'signal and error', async () => {
    let controller!: WritableStreamDefaultController;
    const stream = new WritableStream({
      start(given) {
        controller = given;
      },
    });
    ok(controller instanceof WritableStreamDefaultController);
    equal((controller as unknown as { signal: AbortSignal }).signal.aborted, false);
    controller.error(new RangeError('expected'));
    await rejects('RangeError', stream.getWriter().write(1));
  }),
  standard('WritableStreamDefaultWriter', 'ready, closed, releaseLock', async () => {
    const stream = new WritableStream();
    const writer = new WritableStreamDefaultWriter(stream);
    await writer.ready;
    writer.releaseLock();
    equal(stream.locked, false);
    await rejects('TypeError', writer.write(1));
    await stream.close();
  }),
  standard('TransformStream', 'start, transform, flush', async () => {
    const stream = new TransformStream<number, number>({
      start: (controller) => controller.enqueue(0),
      transform(chunk, controller) {
        controller.enqueue(chunk);
        controller.enqueue(-chunk);
      },
      flush: (controller) => controller.enqueue(9),
    });
    same(await drain(streamOf(1, 2).pipeThrough(stream)), [0, 1, -1, 2, -2, 9]);
    same(await drain(streamOf('a').pipeThrough(new TransformStream())), ['a']);
  }),
  standard('TransformStreamDefaultController', 'terminate and error', async () => {
    const ending = new TransformStream<number, number>({
      transform(chunk, controller) {
        ok(controller instanceof TransformStreamDefaultController);
        controller.enqueue(chunk);
        controller.terminate();
      },
    });
    const written = streamOf(1, 2)
      .pipeTo(ending.writable)
      .catch((error: Error) => error.name);
    same(await drain(ending.readable), [1]);
    equal(await written, 'TypeError');
    const failing = new TransformStream({
      transform: (_, controller) => controller.error(new RangeError('expected')),
    });
    await rejects('RangeError', drain(streamOf(1).pipeThrough(failing)));
  }),
  standard('ByteLengthQueuingStrategy', 'counts bytes', () => {
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: 5 });
    equal(strategy.highWaterMark, 5);
    equal(strategy.size(bytes(1, 2, 3)), 3);
  }),
  standard('CountQueuingStrategy', 'counts chunks', () => {
    const strategy = new CountQueuingStrategy({ highWaterMark: 5 });
    equal(strategy.highWaterMark, 5);
    equal(strategy.size(undefined), 1);
  }),
];
