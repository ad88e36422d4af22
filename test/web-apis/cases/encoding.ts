import { bytes, drain, equal, rejects, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';

export const encodingCases = [
  standard('TextEncoder', 'encodes UTF-8, with lone surrogates replaced', () => {
    const encoder = new TextEncoder();
    equal(encoder.encoding, 'utf-8');
    same([...encoder.encode('aü€😀')], [97, 195, 188, 226, 130, 172, 240, 159, 152, 128]);
    same([...encoder.encode('\udc00')], [239, 191, 189]);
    equal(encoder.encode().length, 0);
  }),
  standard('TextEncoder', 'encodeInto writes whole characters only', () => {
    const target = new Uint8Array(5);
    const { read, written } = new TextEncoder().encodeInto('aü€', target);
    same([read, written], [2, 3]);
    same([...target], [97, 195, 188, 0, 0]);
  }),
  standard('TextDecoder', 'decodes UTF-8, with bad bytes replaced', () => {
    const decoder = new TextDecoder();
    equal(decoder.encoding, 'utf-8');
    equal(decoder.decode(bytes(97, 0xff, 0xe2, 0x82)), 'a\ufffd\ufffd');
    equal(decoder.decode(), '');
  }),
  standard('TextDecoder', 'takes buffers and views', () => {
    const { buffer } = bytes(97, 98, 99);
    equal(new TextDecoder().decode(buffer), 'abc');
    equal(new TextDecoder().decode(new DataView(buffer, 1)), 'bc');
  }),
  standard('TextDecoder', 'fatal', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    equal(decoder.fatal, true);
    throws('TypeError', () => decoder.decode(bytes(0xff)));
    equal(decoder.decode(bytes(97)), 'a');
  }),
  standard('TextDecoder', 'the byte order mark', () => {
    equal(new TextDecoder().decode(bytes(0xef, 0xbb, 0xbf, 97)), 'a');
    const keeping = new TextDecoder('utf-8', { ignoreBOM: true });
    equal(keeping.ignoreBOM, true);
    equal(keeping.decode(bytes(0xef, 0xbb, 0xbf, 97)), '\ufeffa');
  }),
  standard('TextDecoder', 'a character in two chunks', () => {
    const decoder = new TextDecoder();
    equal(decoder.decode(bytes(0xe2, 0x82), { stream: true }), '');
    equal(decoder.decode(bytes(0xac), { stream: true }), '€');
    equal(decoder.decode(), '');
  }),
  standard('TextDecoder', 'labels and UTF-16', () => {
    equal(new TextDecoder(' UTF8 ').encoding, 'utf-8');
    equal(new TextDecoder('utf-16le').decode(bytes(0x61, 0, 0x3d, 0xd8, 0, 0xde)), 'a😀');
    throws('RangeError', () => new TextDecoder('no-such-label'));
  }),
  difference('TextDecoder', 'no other encodings', () => {
    throws('RangeError', () => new TextDecoder('windows-1252'));
    throws('RangeError', () => new TextDecoder('shift_jis'));
  }),
  standard('TextEncoderStream', 'encodes, also a character in two chunks', async () => {
    const stream = new TextEncoderStream();
    const writer = stream.writable.getWriter();
    const written = (async () => {
      for (const chunk of ['a', '\ud83d', '\ude00', '\ud83d']) await writer.write(chunk);
      await writer.close();
    })();
    const chunks = await drain(stream.readable);
    await written;
    same(
      chunks.flatMap((chunk) => [...chunk]),
      [97, 240, 159, 152, 128, 239, 191, 189],
    );
    equal(stream.encoding, 'utf-8');
  }),
  standard('TextDecoderStream', 'decodes, also a character in two chunks', async () => {
    const source = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes(0xe2, 0x82));
        controller.enqueue(bytes(0xac, 0x61));
        controller.close();
      },
    });
    const stream = new TextDecoderStream();
    equal((await drain(source.pipeThrough(stream as never))).join('|'), '€a');
    equal(stream.encoding, 'utf-8');
  }),
  standard('TextDecoderStream', 'fatal', async () => {
    const source = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes(0xff));
        controller.close();
      },
    });
    const stream = new TextDecoderStream('utf-8', { fatal: true });
    equal(stream.fatal, true);
    equal(stream.ignoreBOM, false);
    await rejects('TypeError', drain(source.pipeThrough(stream as never)));
  }),
  difference('TextDecoderStream', 'no other encodings', () => {
    throws('RangeError', () => new TextDecoderStream('iso-8859-1'));
  }),
];
