import { readFileSync } from 'node:fs';
import { test } from 'tap';
import * as abiNumbers from '../../src/abi.js';
import * as channel from '../../src/channel.js';
import { REQUEST_CAPACITY, RESPONSE_CAPACITY } from '../../src/drivers/driver.js';

const HEADER = readFileSync('images/abi/hatchery.h', 'utf8');

/** Values of `#define NAME value` and of enumerators; expressions are over earlier names. */
function constants(): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, name, text] of HEADER.matchAll(
    /^(?:#define|[ ]{4})\s*(HATCHERY_\w+)(?: =)? ([^,\n/]+?),?\s*(?:\/\*.*)?$/gm,
  )) {
    const expression = (text as string)
      .replace(/HATCHERY_\w+/g, (known) => String(found.get(known)))
      .replace(/UINT64_C\(([^)]+)\)/, '$1')
      .replace(/\b(0x[0-9a-f]+|\d+)u\b/gi, '$1');
    if (/^[\dxa-f+\-* ()]+$/i.test(expression)) {
      found.set(name as string, Number(new Function(`return ${expression}`)()));
    }
  }
  return found;
}

test('the numbers that several parts share agree with the header', async (t) => {
  const abi = constants();
  for (const [name, value] of Object.entries(abiNumbers)) {
    t.equal(Number(value), abi.get(`HATCHERY_${name}`), name);
  }
  const magic = /HATCHERY_MAGIC UINT64_C\((0x[0-9a-f]+)\)/i.exec(HEADER)?.[1];
  t.equal(abiNumbers.MAGIC, BigInt(magic ?? 0), 'MAGIC, which no double holds');
});

/** Bytes of a struct of which every field is a uint32_t. */
function structBytes(name: string): number {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(HEADER)?.[1] ?? '';
  return 4 * (body.match(/uint32_t/g)?.length ?? 0);
}

test('the codec agrees with the header', async (t) => {
  const abi = constants();
  t.equal(REQUEST_CAPACITY, abi.get('HATCHERY_REQUEST_CAPACITY'));
  t.equal(RESPONSE_CAPACITY, abi.get('HATCHERY_RESPONSE_WINDOW_BYTES'));
  t.equal(channel.REQUEST_HEADER_BYTES, structBytes('hatchery_request'));
  t.equal(channel.RESPONSE_HEADER_BYTES, structBytes('hatchery_response'));
  t.equal(channel.REQUEST_MORE, abi.get('HATCHERY_REQUEST_MORE'));
  t.equal(channel.RESPONSE_MORE, abi.get('HATCHERY_RESPONSE_MORE'));
  t.equal(channel.RESPONSE_BACKGROUND, abi.get('HATCHERY_RESPONSE_BACKGROUND'));
  t.equal(channel.RESPONSE_ERROR, abi.get('HATCHERY_RESPONSE_ERROR'));
  channel.PANIC_REASONS.forEach((reason, index) => {
    t.equal(abi.get(`HATCHERY_PANIC_${reason.toUpperCase()}`), index + 1, reason);
  });
  for (const [level, name] of Object.entries(channel.LOG_LEVELS)) {
    t.equal(abi.get(`HATCHERY_LOG_${name.toUpperCase()}`), Number(level), name);
  }
});
