#!/usr/bin/env bash
# build-sdk.sh OUT_DIR: makes the folder from which modules become images, wherever it is moved: the library
# OS as objects, headers, and the program build-wasm.
#
# Needs musl-gcc and the header of wasm2c's run time (wabt 1.0.32).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build-sdk.sh OUT_DIR}
# shellcheck source=../kernel/flags.sh
source "$here/../kernel/flags.sh"

rm -rf "$out"
mkdir -p "$out/include" "$out/lib/wasm"
# It comes in a folder that holds glibc's headers, too.
cp /usr/include/wasm-rt.h "$here/module.h" "$out/include"
cp "$here/module_glue.c" "$here/split-translation.awk" "$kernel_dir/image.lds" "$out/lib"
cp "$here/hatchery_module.h" "$out/include"
cp "$here/build-wasm" "$out"

compile_xen_entry "$out/lib"
rm -r "$out/lib/xen_entry"
for source in "${KERNEL_SOURCES[@]}" "$images_dir"/files/*.c "$images_dir"/gateway/*.c "$here"/*.c; do
    name=$(basename "$source")
    [ "$name" = module_glue.c ] && continue
    "${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" -Werror -ffunction-sections -fdata-sections \
        -isystem "$out/include" -c "$source" -o "$out/lib/wasm/$name.o"
done
