/** What the nouns of the command line have in common. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';

/** Makes a command of the noun, with what every command has. */
export type AddCommand = (name: string) => Command;

/** Describes a noun with its verbs. `settle` gets the exit code of the command that ran. */
export type DescribeNoun = (
  noun: Command,
  add: AddCommand,
  terminal: Terminal,
  settle: (code: number) => void,
) => void;
