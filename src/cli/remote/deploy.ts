/** `hatchery deploy WHAT`, which is `hatchery function deploy WHAT`, too. */
import { type Command, Option } from 'commander';
import type { HatcheryClient, WholeImage } from '../../client/index.js';
import { EXIT_CODES } from '../exit-codes.js';
import { addFolderOption } from '../folder-option.js';
import { addLimitOptions } from '../limit-options.js';
import type { Terminal } from '../terminal.js';
import { collect, collectEnv, wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import { type DeployOptions, settingsFrom } from './deploy-request.js';
import { givenBy, nameOf, sentOf } from './deploy-source.js';
import { UploadProgress } from './upload-progress.js';

const EXAMPLES = `
Examples:
  hatchery deploy examples/hello.ts
  hatchery deploy app.ts --name shop --env MODE=live --secret-file .secrets --bind shop.example.com
  hatchery deploy app.wasm --dir public:/srv
  hatchery deploy main.c --memory 32MiB
  hatchery deploy app.lua
  hatchery deploy greeter
  hatchery deploy --image hello`;

const MAX_POOL = 1_024;

export function describeDeploy(
  bare: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  const command = addFolderOption(addConnectionOptions(bare))
    .argument(
      '[what]',
      'TypeScript, JavaScript, Lua, a module (.wasm or .wat) or a C program (.c), or an image of ' +
        'yours by its name or digest',
    )
    .description('deploy to a server what is bundled or built here; a new version of its function')
    .option('--name <name>', "the function's name (default: from the file's, or the image's)")
    .option('--image <name>', 'an image of the server, by name or digest, in the place of a file')
    .option('--word <word>', "an argument for the image's program; may be repeated", collect)
    .option('--env <KEY=VALUE>', 'a variable for the function; may be repeated', collectEnv)
    .option('--env-file <file>', 'a file of variables, KEY=VALUE in each line; --env wins')
    .option('--secret-file <file>', 'the same for secrets, which nothing shows')
    .option('--keep-secret <name>', 'a secret that stays as it is; may be repeated', collect)
    .option('--allow-fetch <host>', 'a host that it may fetch from; may be repeated', collect)
    .option('--bind <host>', 'a host name whose requests go to it; may be repeated', collect)
    .addOption(
      new Option('--strategy <name>', 'how a request gets its virtual machine').choices([
        ...['reset', 'clone', 'pool', 'boot'],
      ]),
    )
    .option(
      '--pool-size <number>',
      'virtual machines kept ready, in each worker',
      wholeNumber(0, MAX_POOL),
    );
  addLimitOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (what: string | undefined, options: ConnectionOptions & DeployOptions) =>
      settle(await deploy(what, options, terminal)),
    );
}

async function deploy(
  what: string | undefined,
  options: ConnectionOptions & DeployOptions,
  terminal: Terminal,
): Promise<number> {
  const given = await givenBy(what, options.image);
  const name = options.name ?? (await nameOf(given));
  const settings = settingsFrom(options);
  const { code, upload } = await sentOf(name, given, options.dir, terminal);
  const client = connect(options);
  const uploaded = upload && (await send(client, name, upload, terminal));
  const deployed = await client.functions.deploy(name, { ...code, ...settings });
  const { version, strategy, milliseconds, routes } = deployed;
  terminal.result(
    `Deployed version ${version} of ${name} in ${milliseconds.toFixed(0)} ms (${strategy})\n` +
      routes.map((route) => `  ${route}`).join('\n'),
    { event: 'deployed', ...deployed, ...(uploaded === undefined ? {} : { uploaded }) },
  );
  return EXIT_CODES.ok.code;
}

async function send(
  { images }: HatcheryClient,
  name: string,
  image: WholeImage,
  terminal: Terminal,
): Promise<{ readonly digest: string; readonly blobs: number; readonly bytes: number }> {
  const progress = new UploadProgress(name, terminal);
  try {
    const { digest, sentBlobs, sentBytes } = await images.upload(image, {
      onProgress: (sent, total) => progress.tell(sent, total),
    });
    return { digest, blobs: sentBlobs, bytes: sentBytes };
  } finally {
    progress.end();
  }
}
