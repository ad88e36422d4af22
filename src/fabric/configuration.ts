/** What a guest gets from its parent, as items of its boot page; the images say what they take of it. */
import type { Configuration } from '../drivers/driver.js';
import { type Binding, ITEM_PATTERN, JAVASCRIPT_IMAGE, LUA_IMAGE } from './definition.js';
import { describeBindings } from './host-calls/bindings.js';
import type { PreparedFunction } from './prepared.js';

/**
 * All images get `name`, `env`, `bindings` and `limits`; those that run a function's code have it in
 * `module`, or, in Lua, in `script`.
 * Programs, that is all but the JavaScript image, also get `environment`, each variable as
 * `NAME=VALUE` and a NUL, and `arguments`, each with a NUL behind it, the function's name first.
 */
export function configurationOf(
  { definition, bundle }: PreparedFunction,
  bindings: Readonly<Record<string, Binding>>,
): Configuration {
  const { name, image, env, secrets, commandLine, limits, warmUp } = definition;
  const { startupMilliseconds, maxHostCallsInFlight } = limits;
  const variables = { ...env, ...secrets };
  const items: [string, string][] = [
    ['name', name],
    ['env', JSON.stringify(variables)],
    ['bindings', JSON.stringify(describeBindings(bindings))],
    ['limits', JSON.stringify({ startupMilliseconds, maxHostCallsInFlight, warmUp })],
  ];
  if (image !== JAVASCRIPT_IMAGE) {
    const environment = Object.entries(variables).map(([key, value]) => `${key}=${value}\0`);
    items.push(['environment', environment.join('')]);
    items.push(['arguments', [name, ...commandLine].map((word) => `${word}\0`).join('')]);
  }
  for (const word of commandLine) {
    const [, item, value = ''] = ITEM_PATTERN.exec(word) ?? [];
    if (item !== undefined) {
      items.push([item, value]);
    }
  }
  const encoder = new TextEncoder();
  const encoded = new Map<string, Uint8Array>(
    items.map(([item, value]) => [item, encoder.encode(value)]),
  );
  if (bundle !== undefined) {
    encoded.set(image === LUA_IMAGE ? 'script' : 'module', bundle.code);
  }
  return encoded;
}
