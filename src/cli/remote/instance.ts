/** `hatchery instance …`: instances of a server, by the spawn API. */
import type { Command } from 'commander';
import type { InstanceFacts, InstanceReply, SpawnRequest } from '../../client/index.js';
import { EXIT_CODES } from '../exit-codes.js';
import { tableOf } from '../table.js';
import type { Terminal } from '../terminal.js';
import { usageLines } from '../usage-lines.js';
import { collect, parseBytes, wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import { readInstanceRequest } from './instance-request.js';
import { type LogOptions, printable, showLogs } from './log-lines.js';
import type { AddCommand, DescribeNoun } from './noun.js';

interface SpawnOptions extends ConnectionOptions {
  readonly image?: string;
  readonly word?: readonly string[];
  readonly memory?: number;
  readonly shutdownAfter?: number;
  readonly idle?: number;
  readonly wait: boolean;
}

const EXAMPLES = `
Examples:
  hatchery instance spawn hello
  hatchery instance spawn --image hello --shutdown-after 60000
  hatchery instance request i-0123456789abcdef --request '{"url":"/items","method":"POST","body":"x"}'
  hatchery instance ls
  hatchery instance logs i-0123456789abcdef --follow
  hatchery instance kill i-0123456789abcdef`;

const MAX_LINES = 1_000;
const MAX_MILLISECONDS = 86_400_000;

export const describeInstance: DescribeNoun = (noun, add, terminal, settle) => {
  noun.description('spawn and use instances of a server').addHelpText('after', EXAMPLES);
  describeSpawn(add, terminal, settle);
  addConnectionOptions(add('ls'))
    .description('list the instances that live')
    .option('--function <name>', 'only those of that function')
    .option('--ended', 'those that have ended, too')
    .action(async (options: ConnectionOptions & { function?: string; ended?: true }) => {
      const { function: name, ended } = options;
      const filter = { ...(name && { function: name }), ...(ended && { ended }) };
      const instances = await connect(options).instances.list(filter);
      terminal.result(tableOf(TITLES, instances.map(rowOf)), { instances });
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('request <id>'))
    .description('send an instance a request, and print what it answers')
    .option(
      '--request <json>',
      'the request: url, method, headers (an object), body (a string); - reads standard input',
      '{"url":"/"}',
    )
    .action(async (id: string, options: ConnectionOptions & { request: string }) => {
      const body = readInstanceRequest(options.request);
      print(await connect(options).instances.request(id, body), terminal);
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('logs <id>'))
    .description('what an instance logged')
    .option('--follow', 'go on with what it logs from now on, to its end')
    .option('--tail <number>', 'earlier lines at most', wholeNumber(0, MAX_LINES), 100)
    .action(async (id: string, options: ConnectionOptions & LogOptions) => {
      await showLogs(connect(options).instances, id, options, terminal);
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('kill <id>'))
    .description('kill an instance, whatever it does')
    .action(async (id: string, options: ConnectionOptions) => {
      await connect(options).instances.kill(id);
      terminal.result(`Killed ${id}.`, { event: 'killed', instance: id });
      settle(EXIT_CODES.ok.code);
    });
};

function describeSpawn(add: AddCommand, terminal: Terminal, settle: (code: number) => void): void {
  const command: Command = addConnectionOptions(add('spawn [function]'))
    .description('spawn an instance of a function, or of an image')
    .option('--image <name>', 'a built image, in the place of a function')
    .option('--word <word>', "an argument for the image's program; may be repeated", collect)
    .option('--memory <size>', "its memory, such as 64MiB (default: the function's)", parseBytes)
    .option(
      '--shutdown-after <milliseconds>',
      'kill it so long after it is ready (default: never)',
      wholeNumber(1, MAX_MILLISECONDS),
    )
    .option(
      '--idle <milliseconds>',
      'kill it when it had no request for so long (default: 300000)',
      wholeNumber(1, MAX_MILLISECONDS),
    )
    .option('--no-wait', 'do not wait until it is ready');
  command.action(async (name: string | undefined, options: SpawnOptions) => {
    const facts = await connect(options).instances.spawn(spawnRequest(name, options));
    const phases = Object.entries(facts.timeline).map(
      ([phase, ms]) => `${phase} ${ms.toFixed(2)} ms`,
    );
    terminal.result(`${facts.id} is ${facts.state}\n  ${phases.join(', ')}`.trimEnd(), {
      event: 'spawned',
      ...facts,
    });
    settle(EXIT_CODES.ok.code);
  });
}

function spawnRequest(name: string | undefined, options: SpawnOptions): SpawnRequest {
  const { image, word, memory, shutdownAfter, idle, wait } = options;
  return {
    ...(name === undefined ? {} : { function: name }),
    ...(image === undefined ? {} : { image }),
    ...(word === undefined ? {} : { commandLine: [...word] }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(shutdownAfter === undefined ? {} : { shutdownAfterMilliseconds: shutdownAfter }),
    ...(idle === undefined ? {} : { idleMilliseconds: idle }),
    wait,
  };
}

const TITLES = ['ID', 'STATE', 'OF', 'STRATEGY', 'REQUESTS', 'SINCE', 'REASON'];

function rowOf(facts: InstanceFacts): (string | number)[] {
  const { id, state, function: name, image, strategy, requests, createdAt, reason } = facts;
  const of = name ?? `image ${image}`;
  return [id, state, of, strategy ?? '-', requests, createdAt, printable(reason ?? '-')];
}

function print(reply: InstanceReply, terminal: Terminal): void {
  if (terminal.json) {
    terminal.result('', reply);
    return;
  }
  terminal.note(String(reply.status));
  for (const [name, value] of reply.headers) {
    terminal.note(`${name}: ${value}`);
  }
  terminal.note('');
  process.stdout.write(reply.body ?? Buffer.from(reply.bodyBase64 ?? '', 'base64'));
  terminal.note('');
  for (const [phase, milliseconds] of Object.entries(reply.timeline)) {
    terminal.note(`${phase.padEnd(8)}${milliseconds.toFixed(3).padStart(10)} ms`);
  }
  terminal.note('');
  for (const line of usageLines(reply.usage)) {
    terminal.note(line);
  }
}
