// node fuzz/codecs.mjs SECONDS [SEED] [FOLDER]: bytes of a hostile guest, and hostile images, against
// the decoders in TypeScript. Mutates well-formed inputs, and what of their mutants is taken, too.
// A failure names its seed and leaves its input in FOLDER. Needs dist/.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { decodeCall, decodeCallId, decodeWait, encodeCompletion } from '../dist/src/call-frames.js';
import {
  decodeLogs,
  decodePanic,
  decodeResponse,
  decodeThrown,
  encodeRequest,
} from '../dist/src/channel.js';
import { layOut } from '../dist/src/drivers/layout.js';
import { HatcheryError } from '../dist/src/errors.js';
import { parseElf } from '../dist/src/image/elf.js';
import { decode, encode, StructuredValueError } from '../dist/src/structured-values.js';

const LIMITS = { bytes: 8192, headers: 100 };
const PLATFORM = { reservedBytes: 5 * 4096, channelBytes: 0x90000, tscHertz: 2e9 };
/** A decoder that takes longer for inputs of some kilobytes is an attack. */
const MOST_MILLISECONDS = 2000;
const MOST_BYTES = 1 << 16;
const CORPUS_SIZE = 300;

/** Numbers that lengths and counts are often wrong about. */
const ODD_NUMBERS = [0, 1, 2, 7, 8, 15, 16, 17, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff];

/** Marsaglia's xorshift32: the same numbers for the same seed on any machine. */
function randomNumbers(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const words = (...values) => Buffer.from(Uint32Array.from(values).buffer);
const framed = (numbers, ...parts) => Buffer.concat([words(...numbers), ...parts]);

function expect(holds, what) {
  if (!holds) throw new Error(`violated: ${what}`);
}

const isTyped =
  (...codes) =>
  (error) =>
    error instanceof HatcheryError && codes.includes(error.code);

const head = Buffer.from('content-type\0text/plain\0set-cookie\0a=b\0', 'latin1');

/** Each: well-formed inputs, what is done with one, and the errors that are an answer. */
const TARGETS = {
  response: {
    seeds: [
      framed([200, 0, head.length, 2], head, Buffer.from('ok')),
      framed([204, 0, 0, 0]),
      framed([500, 4, 0, 2], Buffer.from('{}')),
      framed([200, 1 | 8, head.length, 0], head),
    ],
    run(bytes) {
      const { status, headers, body } = decodeResponse(bytes, LIMITS);
      expect(status >= 200 && status <= 599, 'the status is one');
      expect(headers.length % 2 === 0, 'headers are pairs');
      expect(headers.length / 2 <= LIMITS.headers, 'no more headers than the limit');
      expect(!/[\r\n\0]/.test(headers.join('')), 'no line ends in headers');
      expect(body.length <= bytes.length, 'the body is of the frame');
    },
    accepts: isTyped('RESPONSE_INVALID', 'RESPONSE_HEAD_TOO_LARGE'),
  },
  logs: {
    seeds: [
      framed([30, 5], Buffer.from('hello'), words(50, 3), Buffer.from('bad')),
      framed([20, 4], Buffer.from([0xf0, 0x9f, 0x90, 0xa3])),
    ],
    run(bytes) {
      const { records, intact } = decodeLogs(bytes);
      expect(intact || bytes.length > 0, 'nothing is intact');
      expect(records.length <= bytes.length / 8, 'each record has its header');
    },
    accepts: () => false,
  },
  panic: {
    seeds: [framed([2, 2], Buffer.from('{}')), framed([4, 5], Buffer.from('stuck'))],
    run: (bytes) => decodeThrown(decodePanic(bytes).text),
    accepts: isTyped('RESPONSE_INVALID'),
  },
  thrown: {
    seeds: [Buffer.from('{"name":"TypeError","message":"no","stack":"  at f (x.js:1:2)\\n"}')],
    run(bytes) {
      const { name, message, stack } = decodeThrown(Buffer.from(bytes).toString());
      expect(
        [name, message, stack].every((part) => typeof part === 'string'),
        'strings',
      );
    },
    accepts: () => false,
  },
  call: {
    seeds: [
      framed([1, 3, 0, 4], words(0)),
      framed([7, 2, 1, 8], Buffer.from('db\0get\0\x0f')),
      framed([2, 1, 0, 0]),
    ],
    run(bytes) {
      const { call, failed = false, more, payload } = decodeCall(bytes);
      expect(call !== 0, 'a call has an id');
      const answer = encodeCompletion({ call, failed, more, payload });
      expect(answer.length === payload.length + 16, 'a completion has its payload');
    },
    accepts: isTyped('RESPONSE_INVALID'),
  },
  wait: {
    seeds: [Buffer.alloc(8, 0xff), Buffer.from('0102030405060708', 'hex'), words(1)],
    run(bytes) {
      expect((decodeWait(bytes) ?? 0n) >= 0n, 'a time');
    },
    accepts: isTyped('RESPONSE_INVALID'),
  },
  'call id': {
    seeds: [words(0), words(9)],
    run: (bytes) => decodeCallId(bytes),
    accepts: isTyped('RESPONSE_INVALID'),
  },
  request: {
    seeds: [Buffer.from('GET\0http://a.example/b?c\0accept\0*/*\0x-y\0z')],
    run(bytes) {
      const [method = '', url = '', ...headers] = Buffer.from(bytes).toString('latin1').split('\0');
      const window = Buffer.alloc(4096);
      const body = Buffer.alloc(5000, 'b');
      const { frameBytes, bodyBytes } = encodeRequest(
        window,
        { method, url, headers, body },
        LIMITS,
      );
      expect(frameBytes <= window.length && bodyBytes <= body.length, 'the frame fits');
    },
    accepts: isTyped('REQUEST_HEAD_TOO_LARGE', 'INVALID_ARGUMENT'),
  },
  'structured values': {
    seeds: [
      { a: [1, -2, 3.5, undefined, null, true], b: 'text', c: '\ud800' },
      new Map([[{}, new Set([1n, -(2n ** 70n)])]]),
      [new Date(0), /a+b/gi, new Error('no', { cause: 1 }), new Uint16Array([1, 2])],
      new ArrayBuffer(9),
    ].map((value) => Buffer.from(encode(value))),
    run(bytes) {
      const value = decode(bytes);
      expect(Object.keys(Object.prototype).length === 0, 'prototypes are left alone');
      try {
        encode(value);
      } catch (error) {
        expect(error?.name === 'DataCloneError', `what was decoded can be encoded: ${error}`);
      }
    },
    accepts: (error) => error instanceof StructuredValueError,
  },
  image: {
    seeds: images(),
    run(bytes) {
      const image = parseElf(bytes);
      image.symbolAt(image.entry);
      const { memory, shared } = layOut(
        { image, configuration: new Map(), memoryBytes: 16 << 20 },
        PLATFORM,
      );
      for (const region of [memory, shared]) {
        for (const { physicalAddress, bytes: content } of region.contents) {
          expect(physicalAddress + content.length <= region.bytes, 'contents are in their region');
        }
      }
    },
    accepts: isTyped('IMAGE_INVALID', 'CONFIGURATION_INVALID'),
  },
};

/** The smallest of the guest images that are built, without what makes them large. */
function images() {
  const folder = new URL('../dist/images/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.elf'));
  return files.map((file) => readFileSync(new URL(file, folder))).filter((e) => e.length < 1 << 20);
}

function mutate(input, others, random) {
  let bytes = Buffer.from(input);
  for (let left = 1 + random(4); left > 0; left -= 1) {
    // Most of what decides is in the first bytes.
    const place =
      bytes.length === 0 ? 0 : random(random(2) ? Math.min(bytes.length, 64) : bytes.length);
    switch (random(8)) {
      case 0:
        if (bytes.length > 0) bytes[place] ^= 1 << random(8);
        break;
      case 1:
        if (bytes.length > 0) bytes[place] = random(256);
        break;
      case 2: {
        const at = place & ~3;
        if (at + 4 <= bytes.length) {
          bytes.writeUInt32LE(ODD_NUMBERS[random(ODD_NUMBERS.length)], at);
        }
        break;
      }
      case 3:
        bytes = bytes.subarray(0, place);
        break;
      case 4:
        bytes = Buffer.concat([bytes, Buffer.alloc(random(20), random(256))]);
        break;
      case 5: {
        const piece = bytes.subarray(place, place + 1 + random(40));
        bytes = Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)]);
        break;
      }
      case 6: {
        const other = others[random(others.length)];
        bytes = Buffer.concat([bytes.subarray(0, place), other.subarray(random(other.length + 1))]);
        break;
      }
      default: {
        const at = place & ~3;
        if (at + 4 <= bytes.length) {
          const near = bytes.readUInt32LE(at) + random(9) - 4;
          bytes.writeUInt32LE(near >>> 0, at);
        }
      }
    }
  }
  return bytes.length > MOST_BYTES && input.length <= MOST_BYTES
    ? bytes.subarray(0, MOST_BYTES)
    : bytes;
}

/** Attacks one target. @returns how many inputs it got, and the one that it failed on. */
function attack(target, seed, milliseconds) {
  const random = randomNumbers(seed);
  const corpus = [...target.seeds];
  const end = performance.now() + milliseconds;
  let runs = 0;
  while (performance.now() < end) {
    const parent = corpus[random(corpus.length)];
    const input = mutate(parent, corpus, random);
    runs += 1;
    const started = performance.now();
    let taken = false;
    try {
      target.run(new Uint8Array(input));
      taken = true;
    } catch (error) {
      if (!target.accepts(error)) return { runs, input, error };
    }
    const took = performance.now() - started;
    if (took > MOST_MILLISECONDS) return { runs, input, error: new Error(`it took ${took} ms`) };
    if (taken && input.length <= MOST_BYTES) {
      if (corpus.length < CORPUS_SIZE) corpus.push(input);
      else corpus[target.seeds.length + random(CORPUS_SIZE - target.seeds.length)] = input;
    }
  }
  return { runs };
}

const seconds = Number(process.argv[2] ?? 10);
const seed = Number(process.argv[3] ?? Date.now() % 0xffffffff);
const folder = process.argv[4] ?? 'build/fuzz/crashes';
console.log(`codecs: seed ${seed}`);
const targets = Object.entries(TARGETS).filter(([, target]) => target.seeds.length > 0);
for (const [name, target] of targets) {
  const { runs, input, error } = attack(target, seed, (seconds * 1000) / targets.length);
  console.log(`codecs: ${name}: ${runs} inputs`);
  if (error !== undefined) {
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `codecs-${name.replaceAll(' ', '-')}-${seed}`);
    writeFileSync(file, input);
    console.log(
      `codecs: ${name} failed with the seed ${seed}; its input is ${file}\n${error?.stack ?? error}`,
    );
    process.exitCode = 1;
  }
}
