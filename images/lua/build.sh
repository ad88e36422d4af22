#!/usr/bin/env bash
# build.sh OUT_DIR: builds OUT_DIR/lua.elf, the image that runs Lua functions, as a C program with the SDK
# in SDK_DIR (default: dist/sdk of this checkout).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build.sh OUT_DIR}
sdk=${SDK_DIR:-$here/../../dist/sdk}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$sdk/build-c" "$out/lua.elf" "$work" "$here"/*.c -- -Wall -Wextra -Werror -llua5.4
