#!/usr/bin/env bash
# build.sh OUT_DIR: builds every test guest into OUT_DIR. A .c file is an application on the kernel;
# a .S file stands alone. And the programs that tests start in the lab's Dom0 (test/xen/programs).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build.sh OUT_DIR}
# shellcheck source=../../images/kernel/flags.sh
source "$here/../../images/kernel/flags.sh"
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile_xen_entry "$work"
for source in "$here"/*.c; do
    "${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" -I"$images_dir/kernel" "${GUEST_LDFLAGS[@]}" \
        "$source" "${KERNEL_SOURCES[@]}" "$work/xen_entry.o" "${GUEST_LIBS[@]}" \
        -o "$out/$(basename "$source" .c).elf"
done
for source in "$here"/*.S; do
    "${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" "${GUEST_LDFLAGS[@]}" "$source" \
        -o "$out/$(basename "$source" .S).elf"
done
for source in "$here"/../xen/programs/*.c; do
    musl-gcc -std=gnu17 -O2 -Wall -Wextra -static "$source" -o "$out/$(basename "$source" .c)"
done
