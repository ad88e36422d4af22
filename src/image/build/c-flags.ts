/** Flags for the C compiler: paths in them are those of inputs, wherever these are compiled. */
import { relative, resolve, sep } from 'node:path';
import { HatcheryError } from '../../errors.js';

/** Options whose value is a folder. */
const FOLDER_OPTIONS = ['-I', '-L'];
const MOST_FLAGS = 200;
const LONGEST_FLAG = 4_096;

/** A flag; where it names a folder, that is relative to the sources' folder. */
export type Flag = { readonly text: string } | { readonly option: string; readonly folder: string };

/**
 * What the flags say; which of them are allowed is the build script's to know.
 * @param folder of the sources, absolute
 * @throws HatcheryError INVALID_ARGUMENT where a folder is not among the sources
 */
export function readFlags(given: readonly string[], folder: string): Flag[] {
  if (given.length > MOST_FLAGS || given.some((flag) => flag.length > LONGEST_FLAG)) {
    throw invalid('there are too many flags, or too long ones');
  }
  const flags: Flag[] = [];
  for (let at = 0; at < given.length; at++) {
    const text = given[at] ?? '';
    const option = FOLDER_OPTIONS.find((one) => text.startsWith(one));
    if (text.includes('\0') || text === '') {
      throw invalid('a flag is empty, or has a NUL in it');
    }
    if (option === undefined) {
      flags.push({ text });
      continue;
    }
    if (text === option) {
      at += 1;
    }
    const path = text === option ? given[at] : text.slice(option.length);
    if (path === undefined) {
      throw invalid(`${option} needs a folder`);
    }
    const inside = relative(folder, resolve(path));
    if (inside === '..' || inside.startsWith(`..${sep}`)) {
      throw invalid(
        `${option}${path} is not among the sources: give the folder as a source, too, so that it is`,
      );
    }
    flags.push({ option, folder: inside });
  }
  return flags;
}

/** As the compiler gets them. @param inputs where the sources' folder is for it */
export function flagTexts(flags: readonly Flag[], inputs: string): string[] {
  return flags.map((flag) =>
    'text' in flag
      ? flag.text
      : `${flag.option}${flag.folder === '' ? inputs : `${inputs}/${flag.folder}`}`,
  );
}

function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem });
}
