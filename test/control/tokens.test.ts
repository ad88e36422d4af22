/** Tokens: who has one, what it may do, and what is kept of it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { Links } from '../../src/control/access/links.js';
import { Bucket } from '../../src/control/access/rate-limit.js';
import { SCOPES } from '../../src/control/access/scopes.js';
import { mintToken, parseToken } from '../../src/control/access/token.js';
import { Tokens } from '../../src/control/access/tokens.js';

const RATE = { perSecond: 1_000, burst: 1_000 };
const bearer = (text: string) => `Bearer ${text}`;

t.test('the first start makes a token, the next ones keep it', async (t) => {
  const folder = t.testdir();
  const tokens = await Tokens.open(folder, RATE);
  const text = readFileSync(`${folder}/token`, 'utf8').trim();
  t.equal(statSync(`${folder}/token`).mode & 0o777, 0o600);
  t.equal(statSync(`${folder}/tokens.json`).mode & 0o777, 0o600);
  for (const scope of SCOPES) {
    t.match(tokens.check(bearer(text), scope), { name: 'first' });
  }
  const again = await Tokens.open(folder, RATE);
  t.match(again.check(bearer(text), 'deploy'), { name: 'first' });
  t.equal(again.list().length, 1);
  t.equal(readFileSync(`${folder}/token`, 'utf8').trim(), text);
  const secret = parseToken(text)?.secret ?? '';
  t.notMatch(readFileSync(`${folder}/tokens.json`, 'utf8'), secret, 'only its hash is kept');
});

t.test('whoever removed the last one that makes others gets a new one', async (t) => {
  const folder = t.testdir();
  const tokens = await Tokens.open(folder, RATE);
  const [first] = tokens.list();
  await tokens.create({ name: 'ci', scopes: ['deploy'] });
  await tokens.remove(first?.id ?? '');
  const again = await Tokens.open(folder, RATE);
  t.same(
    again
      .list()
      .map(({ name }) => name)
      .sort(),
    ['ci', 'first'],
  );
  again.check(bearer(readFileSync(`${folder}/token`, 'utf8').trim()), 'tokens');
});

t.test('a token may do what its scopes say, until it is removed or expires', async (t) => {
  const tokens = await Tokens.open(t.testdir(), RATE);
  const { text, facts } = await tokens.create({ name: 'ci', scopes: ['deploy'] });
  t.equal(tokens.check(bearer(text), 'deploy').id, facts.id);
  t.throws(() => tokens.check(bearer(text), 'read'), { code: 'SCOPE_MISSING', status: 403 });
  t.ok(tokens.isGood(facts.id));
  await tokens.remove(facts.id);
  t.notOk(tokens.isGood(facts.id));
  t.throws(() => tokens.check(bearer(text), 'deploy'), { code: 'TOKEN_INVALID', status: 401 });
  await t.rejects(tokens.remove(facts.id), { code: 'TOKEN_UNKNOWN' });
  const expiresAt = new Date(Date.now() - 1).toISOString();
  const old = await tokens.create({ name: 'old', scopes: ['read'], expiresAt });
  t.throws(() => tokens.check(bearer(old.text), 'read'), { code: 'TOKEN_INVALID' });
  t.notOk(tokens.list().some(({ name }) => name === 'old'));
});

t.test('what is no token is refused, whatever it is', async (t) => {
  const tokens = await Tokens.open(t.testdir(), RATE);
  const { text } = await tokens.create({ name: 'real', scopes: SCOPES });
  const refused = (given: string | undefined, code = 'TOKEN_INVALID') =>
    t.throws(() => tokens.check(given, 'read'), { code }, JSON.stringify(given)?.slice(0, 60));
  refused(undefined, 'TOKEN_MISSING');
  const wrong = text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');
  for (const given of ['', text, `Basic ${text}`, `Bearer ${text} ${text}`, bearer(wrong)]) {
    refused(given);
  }
  refused(bearer(`${text}x`));
  refused(bearer(text.toUpperCase()));
  refused(bearer(mintToken({ name: 'x', scopes: SCOPES }).text));
  refused(bearer('x'.repeat(100_000)));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (any) => {
      try {
        tokens.check(any, 'read');
        return false;
      } catch (error) {
        return (error as { code: string }).code === 'TOKEN_INVALID';
      }
    }),
  );
  const good = mintToken({ name: 'x', scopes: SCOPES }).text;
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 3 }), (at, put) => {
      const changed = good.slice(0, at) + put + good.slice(at + put.length);
      const parsed = parseToken(changed);
      return parsed === undefined || `hatchery_${parsed.id}_${parsed.secret}` === changed;
    }),
  );
});

t.test('each is limited by itself', async (t) => {
  const tokens = await Tokens.open(t.testdir(), { perSecond: 1, burst: 3 });
  const [one, other] = await Promise.all([
    tokens.create({ name: 'one', scopes: ['read'] }),
    tokens.create({ name: 'other', scopes: ['read'] }),
  ]);
  for (let count = 0; count < 3; count += 1) {
    tokens.check(bearer(one.text), 'read');
  }
  t.throws(() => tokens.check(bearer(one.text), 'read'), {
    code: 'RATE_LIMITED',
    details: { retryAfter: 1 },
  });
  tokens.check(bearer(other.text), 'read');
});

t.test('a bucket gives what has come in since, and no more than it holds', async (t) => {
  const bucket = new Bucket({ perSecond: 10, burst: 2 }, 0);
  t.equal(bucket.take(0), 0);
  t.equal(bucket.take(0), 0);
  t.equal(bucket.take(0), 100);
  t.equal(bucket.take(50), 50);
  t.equal(bucket.take(100), 0);
  t.equal(bucket.take(100_000), 0);
  t.equal(bucket.take(100_000), 0);
  t.equal(bucket.take(100_000), 100);
});

t.test('a link gives a token to the first who follows it', async (t) => {
  const tokens = await Tokens.open(t.testdir(), RATE);
  const links = new Links(tokens);
  const { code } = links.create(['read']);
  const { text, facts } = await links.follow(code);
  t.match(tokens.check(bearer(text), 'read'), { id: facts.id });
  t.type(facts.expiresAt, 'string');
  await t.rejects(links.follow(code), { code: 'LINK_INVALID' });
  await t.rejects(links.follow(''), { code: 'LINK_INVALID' });
  for (let tries = 0; tries < 30; tries += 1) {
    await links.follow('guess').catch(() => {});
  }
  await t.rejects(links.follow('guess'), { code: 'RATE_LIMITED' });
  for (let count = 0; count < 100; count += 1) {
    links.create(['read']);
  }
  t.throws(() => links.create(['read']), { code: 'RATE_LIMITED' });
});

t.test('a file that is none is said', async (t) => {
  for (const text of ['', '{}', '{"tokens":[{"id":"x"}]}']) {
    const folder = t.testdir();
    writeFileSync(`${folder}/tokens.json`, text);
    await t.rejects(Tokens.open(folder, RATE), { code: 'DATA_UNUSABLE' });
  }
});
