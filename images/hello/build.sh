#!/usr/bin/env bash
# build.sh OUT_DIR: builds OUT_DIR/hello.elf.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build.sh OUT_DIR}
# shellcheck source=../kernel/flags.sh
source "$here/../kernel/flags.sh"
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile_xen_entry "$work"
"${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" -Werror "${GUEST_LDFLAGS[@]}" \
    "$here/hello.c" "${KERNEL_SOURCES[@]}" "$work/xen_entry.o" "${GUEST_LIBS[@]}" \
    -o "$out/hello.elf"
refuse_syscall "$out/hello.elf"
