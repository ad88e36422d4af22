/** The option that packs folders into an image. */
import type { Command } from 'commander';
import { collect } from './values.js';

export function addFolderOption(command: Command): Command {
  return command.option(
    '--dir <HOST[:GUEST]>',
    'a folder whose files the image has, read-only, at GUEST (default: /); may be repeated',
    collect,
  );
}
