import { bytes, equal, hex, ok, rejects, same, throws, utf8 } from '../assert.js';
import { difference, standard } from '../case.js';
import { type CryptoKey, type HmacKeyAlgorithm, web } from '../web.js';

const HMAC = { name: 'HMAC', hash: 'SHA-256' };

function importHmac(
  key: Uint8Array<ArrayBuffer>,
  hash: string,
  usages: ('sign' | 'verify')[] = ['sign', 'verify'],
): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, { name: 'HMAC', hash }, false, usages);
}

export const cryptoCases = [
  standard('Crypto', 'getRandomValues fills arrays of integers in place', () => {
    const array = new Uint32Array(64);
    equal(crypto.getRandomValues(array), array);
    ok(new Set(array).size > 60, 'they differ');
    for (const type of [Int8Array, Uint8ClampedArray, Int16Array, Int32Array, BigInt64Array]) {
      crypto.getRandomValues(new type(1));
    }
    crypto.getRandomValues(new (class extends Uint8Array {})(1));
    const view = new Uint8Array(8);
    crypto.getRandomValues(view.subarray(0, 4));
    same([...view.subarray(4)], [0, 0, 0, 0]);
  }),
  standard('Crypto', 'getRandomValues refuses what it must', () => {
    throws('TypeMismatchError', () => crypto.getRandomValues(new Float64Array(1) as never));
    throws('TypeMismatchError', () =>
      crypto.getRandomValues(new DataView(new ArrayBuffer(1)) as never),
    );
    throws('QuotaExceededError', () => crypto.getRandomValues(new Uint8Array(65537)));
    crypto.getRandomValues(new Uint8Array(65536));
  }),
  standard('Crypto', 'randomUUID is of version 4', () => {
    const uuid = crypto.randomUUID();
    ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid), uuid);
    ok(uuid !== crypto.randomUUID(), 'they differ');
  }),
  // Expected values: FIPS 180-4 examples ("abc").
  standard('SubtleCrypto', 'digests', async () => {
    const abc = utf8('abc');
    equal(
      hex(await crypto.subtle.digest('SHA-1', abc)),
      'a9993e364706816aba3e25717850c26c9cd0d89d',
    );
    equal(
      hex(await crypto.subtle.digest({ name: 'sha-256' }, abc)),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    equal(
      hex(await crypto.subtle.digest('SHA-384', abc)),
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed' +
        '8086072ba1e7cc2358baeca134c825a7',
    );
    equal(
      hex(await crypto.subtle.digest('SHA-512', abc)),
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
        '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
    equal(
      hex(await crypto.subtle.digest('SHA-256', new ArrayBuffer(0))),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  }),
  standard('SubtleCrypto', 'digest of a view takes its part only', async () => {
    const part = utf8('xabcx').subarray(1, 4);
    const whole = await crypto.subtle.digest('SHA-1', utf8('abc'));
    equal(hex(await crypto.subtle.digest('SHA-1', part)), hex(whole));
    await rejects('TypeError', crypto.subtle.digest('SHA-1', 'abc' as never));
  }),
  // Expected values: RFC 4231, test case 2.
  standard('SubtleCrypto', 'HMAC sign', async () => {
    const data = utf8('what do ya want for nothing?');
    const key = await importHmac(utf8('Jefe'), 'SHA-256');
    equal(
      hex(await crypto.subtle.sign('HMAC', key, data)),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    const longer = await importHmac(utf8('Jefe'), 'SHA-512');
    equal(
      hex(await crypto.subtle.sign({ name: 'hmac' }, longer, data)),
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
        '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    );
  }),
  standard('SubtleCrypto', 'HMAC verify', async () => {
    const key = await importHmac(utf8('key'), 'SHA-1');
    const signature = await crypto.subtle.sign('HMAC', key, utf8('data'));
    equal(await crypto.subtle.verify('HMAC', key, signature, utf8('data')), true);
    equal(await crypto.subtle.verify('HMAC', key, signature, utf8('date')), false);
    equal(await crypto.subtle.verify('HMAC', key, signature.slice(1), utf8('data')), false);
    new Uint8Array(signature)[19] = (new Uint8Array(signature)[19] ?? 0) ^ 1;
    equal(await crypto.subtle.verify('HMAC', key, signature, utf8('data')), false);
  }),
  standard(
    'SubtleCrypto',
    'generated keys are of the block size, unless said otherwise',
    async () => {
      for (const [hash, length] of [
        ['SHA-256', 512],
        ['SHA-512', 1024],
      ] as const) {
        const key = await crypto.subtle.generateKey({ name: 'HMAC', hash }, true, ['sign']);
        equal((key.algorithm as HmacKeyAlgorithm).length, length);
        equal((await crypto.subtle.exportKey('raw', key)).byteLength, length / 8);
      }
      const key = await crypto.subtle.generateKey({ ...HMAC, length: 128 }, true, ['sign']);
      equal((key.algorithm as HmacKeyAlgorithm).length, 128);
    },
  ),
  standard('SubtleCrypto', 'keys are used as they allow', async () => {
    const key = await importHmac(bytes(1), 'SHA-1', ['verify']);
    await rejects('InvalidAccessError', crypto.subtle.sign('HMAC', key, bytes(1)));
    await rejects('InvalidAccessError', crypto.subtle.exportKey('raw', key));
    await rejects('SyntaxError', importHmac(bytes(1), 'SHA-1', []));
    await rejects('SyntaxError', importHmac(bytes(1), 'SHA-1', ['encrypt' as 'sign']));
    await rejects('DataError', importHmac(bytes(), 'SHA-1'));
    await rejects('TypeError', crypto.subtle.sign('HMAC', {} as CryptoKey, bytes(1)));
  }),
  difference('SubtleCrypto', 'anything else is a NotSupportedError', async () => {
    await rejects('NotSupportedError', crypto.subtle.digest('MD5', bytes(1)));
    await rejects(
      'NotSupportedError',
      crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']),
    );
    await rejects(
      'NotSupportedError',
      crypto.subtle.importKey('jwk', { kty: 'oct', k: 'AA' }, HMAC, true, ['sign']),
    );
    equal('encrypt' in crypto.subtle, false);
  }),
  standard('CryptoKey', 'describes itself', async () => {
    const key = await importHmac(bytes(1, 2, 3), 'SHA-384');
    ok(key instanceof web.CryptoKey);
    equal(key.type, 'secret');
    equal(key.extractable, false);
    same(key.algorithm, { name: 'HMAC', hash: { name: 'SHA-384' }, length: 24 });
    same(key.usages, ['sign', 'verify']);
    throws('TypeError', () => new web.CryptoKey());
  }),
  difference('CryptoKey', 'no key pairs', async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    await rejects('NotSupportedError', crypto.subtle.generateKey(algorithm, true, ['sign']));
  }),
  standard('crypto', 'is a Crypto with a SubtleCrypto', () => {
    ok(crypto instanceof web.Crypto);
    ok(crypto.subtle instanceof web.SubtleCrypto);
    equal(crypto.subtle, crypto.subtle);
  }),
];
