/** How the commands speak: results on standard output, everything else on standard error. */
import { styleText } from 'node:util';
import type { ApiError } from '../client/api-error.js';
import { HatcheryError } from '../errors.js';
import { hasColours } from '../logging.js';

/** Our own, or what a server answered. */
type Shown = HatcheryError | ApiError;

type Style = Parameters<typeof styleText>[0];

export class Terminal {
  /** @param json one JSON object for each result, and nothing else, on standard output. */
  constructor(readonly json: boolean) {}

  /** A result: a line of text, or with --json the object. */
  result(text: string, object: object): void {
    process.stdout.write(`${this.json ? JSON.stringify(object) : text}\n`);
  }

  /** Something that a person wants to know, and that no program reads. */
  note(text: string): void {
    if (!this.json) {
      process.stderr.write(`${text}\n`);
    }
  }

  /** An error, with the causes that say more than it does itself. */
  error(error: Shown): void {
    if (this.json) {
      process.stdout.write(
        `${JSON.stringify({ error: { ...reportOf(error), causes: causesOf(error) } })}\n`,
      );
      return;
    }
    const mark = hasColours(process.stderr) ? styleText('red', 'error') : 'error';
    process.stderr.write(`${mark}: ${error.message} [${error.code}]\n`);
    for (const cause of causesOf(error)) {
      process.stderr.write(`  because: ${cause}\n`);
    }
  }

  /** `text` in a style where standard output is a terminal. */
  style(style: Style, text: string): string {
    return hasColours(process.stdout) && !this.json ? styleText(style, text) : text;
  }
}

function reportOf(error: Shown): object {
  if (error instanceof HatcheryError) {
    return error.toJSON();
  }
  const { code, message, requestId, details } = error;
  return { code, message, requestId, details };
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (!error.message.includes(cause.message)) {
      causes.push(cause.message);
    }
  }
  return causes;
}
