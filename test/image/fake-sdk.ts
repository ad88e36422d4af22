/**
 * A guest SDK that compiles nothing: its scripts check that they were called as a real one's are, and
 * make of any input the image `hello` with a section behind it that depends on what they were given.
 */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HELLO = fileURLToPath(new URL('../../images/hello.elf', import.meta.url));

const SCRIPT = `#!/bin/bash
set -euo pipefail
sdk=$(dirname "$0")
out=$1 work=$2
shift 2
[[ $PWD == "$work" && -z $(ls -A "$work") ]] || { echo "the work folder is not empty" >&2; exit 1; }
cp "$sdk/hello.elf" "$out"
flags='"-O2"'
while (( $# > 0 )); do
    case $1 in
        --files) cat "$2" >> "$out"; shift ;;
        --) shift; for flag in "$@"; do flags="$flags,\\"$flag\\""; done; break ;;
        *.c) gcc -fsyntax-only -Wall "$1" || exit 1; cat "$1" >> "$out" ;;
        *) cat "$1" >> "$out" ;;
    esac
    shift
done
echo "compiled" > "$work/note"
echo '{"tools":{"fake":"1.0"},"flags":['"$flags"']}'
`;

/** Makes it in a folder. */
export function fakeSdk(folder: string, script = SCRIPT): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  copyFileSync(HELLO, `${folder}/hello.elf`);
  for (const name of ['build-wasm', 'build-c']) {
    writeFileSync(`${folder}/${name}`, script);
    chmodSync(`${folder}/${name}`, 0o755);
  }
  return folder;
}

/** A command that does nothing. */
export const COMMAND = '(module (memory (export "memory") 1) (func (export "_start")))';
