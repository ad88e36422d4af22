/** `hatchery run FILE`: one request, answered by the function, without a server. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import * as v from 'valibot';
import { HatcheryError } from '../errors.js';
import { createLogger } from '../logging.js';
import type { Phase } from '../timeline.js';
import type { Usage } from '../usage.js';
import { EXIT_CODES } from './exit-codes.js';
import { addFolderOption } from './folder-option.js';
import { addFunctionOptions } from './function-options.js';
import { deployableFrom, type ServedOptions } from './served-file.js';
import type { Terminal } from './terminal.js';
import { usageLines } from './usage-lines.js';

interface RunOptions extends ServedOptions {
  readonly request: string;
}

const EXAMPLES = `
The request is a JSON object: "url" (absolute, or a path), "method", "headers" (an object), "body" (a
string). With - it is read from standard input. The body of the response goes to standard output,
everything else to standard error; with --json there is one object with all of it on standard output.

Examples:
  hatchery run examples/hello.ts
  hatchery run app.wasm --dir public:/srv
  hatchery run app.ts --request '{"url":"/items?limit=5"}'
  hatchery run app.ts --request '{"url":"/items","method":"POST","body":"{\\"name\\":\\"x\\"}"}' --json
  echo '{"url":"/"}' | hatchery run app.ts --request - --strategy boot`;

export function describeRun(command: Command): Command {
  return addFolderOption(addFunctionOptions(command))
    .description('answer one request, and print the response, its timeline and what it used')
    .option('--request <json>', 'the request; - reads it from standard input', '{"url":"/"}')
    .addHelpText('after', EXAMPLES);
}

const REQUEST = v.strictObject({
  url: v.string(),
  method: v.optional(v.string()),
  headers: v.optional(v.record(v.string(), v.string())),
  body: v.optional(v.string()),
});

/** Paths in a request are those of this origin. */
const ORIGIN = 'http://localhost';
const STANDARD_INPUT = 0;

/** @throws HatcheryError INVALID_ARGUMENT */
function readRequest(text: string): Request {
  try {
    const json = text === '-' ? readFileSync(STANDARD_INPUT, 'utf8') : text;
    const { url, ...init } = v.parse(REQUEST, JSON.parse(json));
    return new Request(new URL(url, ORIGIN), init as RequestInit);
  } catch (cause) {
    const at = cause instanceof v.ValiError ? `${v.getDotPath(cause.issues[0]) ?? ''}: ` : '';
    const problem = `--request is not a request: ${at}${(cause as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
  }
}

export async function run(file: string, options: RunOptions, terminal: Terminal): Promise<number> {
  const request = readRequest(options.request);
  const { definition } = await deployableFrom(file, options, terminal);
  const logger = createLogger(options.logLevel, terminal.json);
  const { Fabric, timelineOf, usageOf } = await import('../index.js');
  const fabric = await Fabric.open({ driver: options.driver, xenType: options.xenType, logger });
  try {
    const fn = await fabric.deploy(definition);
    const response = await fn.fetch(request);
    const body = Buffer.from(await response.arrayBuffer());
    const usage = await usageOf(response);
    const timeline = inMicroseconds({
      ...(fn.bundleMilliseconds === undefined ? {} : { bundle: fn.bundleMilliseconds }),
      ...fn.coldStart,
      ...timelineOf(response)?.toJSON(),
    });
    if (terminal.json) {
      printJson(terminal, response, body, { timeline, usage });
    } else {
      print(terminal, response, body, { timeline, usage });
    }
    return EXIT_CODES.ok.code;
  } finally {
    await fabric.close();
  }
}

/** Milliseconds of each phase. */
type Durations = Partial<Record<Phase | 'bundle', number>>;

/** Rounds to microseconds: what is beyond is noise. */
function inMicroseconds(durations: Durations): Durations {
  const rounded = Object.entries(durations).map(([phase, milliseconds]) => [
    phase,
    Math.round(milliseconds * 1000) / 1000,
  ]);
  return Object.fromEntries(rounded);
}

/** Where the time went, and what else was used. */
interface Account {
  readonly timeline: Durations;
  readonly usage: Usage | undefined;
}

function print(
  terminal: Terminal,
  response: Response,
  body: Buffer,
  { timeline, usage }: Account,
): void {
  terminal.note(`${response.status} ${response.statusText}`.trimEnd());
  for (const [name, value] of response.headers) {
    terminal.note(`${name}: ${value}`);
  }
  terminal.note('');
  process.stdout.write(body);
  const endsLine = body.length === 0 || body.at(-1) === 0x0a;
  terminal.note(endsLine ? '' : '\n');
  for (const [phase, milliseconds] of Object.entries(timeline)) {
    terminal.note(`${phase.padEnd(8)}${milliseconds.toFixed(3).padStart(10)} ms`);
  }
  terminal.note('');
  for (const line of usageLines(usage)) {
    terminal.note(line);
  }
}

function printJson(terminal: Terminal, response: Response, body: Buffer, account: Account): void {
  terminal.result('', {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    ...encode(body),
    ...account,
  });
}

/** As text where it is text; JSON cannot hold other bytes. */
function encode(body: Buffer): { body: string } | { bodyBase64: string } {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { bodyBase64: body.toString('base64') };
  }
}
