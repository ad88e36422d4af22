#!/usr/bin/env bash
# build.sh OUT_DIR: builds OUT_DIR/js.elf, the image that runs JavaScript functions.
#
# Needs wasm2c, wasm2wat, wat2wasm and wasm-objdump (wabt 1.0.32), musl-gcc, node, and the npm
# packages quickjs-wasi, esbuild and web-streams-polyfill. The translated engine, which takes most of
# the time, is kept in CACHE_DIR if that is set.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build.sh OUT_DIR}
# shellcheck source=../kernel/flags.sh
source "$here/../kernel/flags.sh"

package_dir=$(cd "$here" && node -p \
    "path.dirname(require.resolve('quickjs-wasi/package.json', {paths: ['$here']}))")
extensions=(url encoding crypto)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# Translated code: no bounds checks (see wasm_runtime.c), one section for each function so that the
# linker can leave out what nothing calls.
translated_flags=(
    "${GUEST_CFLAGS[@]}" -std=gnu17 -w -ffunction-sections -fdata-sections
    -DWASM_RT_MEMCHECK_SIGNAL_HANDLER=1 -DWASM_RT_SKIP_SIGNAL_RECOVERY=1
)

# All that the translated engine is made of, as a digest.
translation_key() {
    {
        wasm2c --version
        "${GUEST_CC[@]}" --version
        printf '%s\n' "${translated_flags[@]//$images_dir/images}" "${extensions[@]}"
        cat /usr/include/wasm-rt.h "$here/build.sh" "$here/build/link-extension.mjs" \
            "$package_dir/quickjs.wasm" "$package_dir"/extensions/*/*.so
    } | sha256sum | cut -c1-16
}

# compile_translated DIR NAME
compile_translated() {
    "${GUEST_CC[@]}" "${translated_flags[@]}" "-ffile-prefix-map=$1=images/js" -I "$1" \
        -c "$1/$2.c" -o "$1/$2.o"
}

translate_engine() {
    wasm2c "$package_dir/quickjs.wasm" -n env -o "$1/quickjs.c"
    compile_translated "$1" quickjs
}

# translate_extension DIR NAME
translate_extension() {
    local module="$package_dir/extensions/$2/$2.so"
    wasm2wat --enable-all "$module" | node "$here/build/link-extension.mjs" >"$1/$2.wat"
    wat2wasm "$1/$2.wat" -o "$1/$2.wasm"
    wasm2c "$1/$2.wasm" -n "$2" -o "$1/$2.c"
    compile_translated "$1" "$2"
}

# What a side module asks for in its dylink.0 section, as C macros.
extension_sizes() {
    wasm-objdump -x "$package_dir/extensions/$1/$1.so" | awk -v name="${1^^}" '
        $2 == "mem_size" { print "#define " name "_MEMORY_BYTES " $4 "u" }
        $2 == "table_size" { print "#define " name "_TABLE_ENTRIES " $4 "u" }'
}

# translate DIR: makes the headers and object files there, on two cores.
translate() {
    # The run-time header comes with wabt, in a folder that holds glibc's headers too.
    cp /usr/include/wasm-rt.h "$1"
    translate_engine "$1" &
    local engine_job=$! extension
    for extension in "${extensions[@]}"; do
        translate_extension "$1" "$extension"
        extension_sizes "$extension" >>"$1/extension_sizes.h"
    done
    wait "$engine_job"
    rm "$1"/*.c "$1"/*.wat "$1"/*.wasm
}

translated=${CACHE_DIR:-$work}/js-translated-$(translation_key)
if [ ! -d "$translated" ]; then
    mkdir "$work/new"
    translate "$work/new"
    mkdir -p "$(dirname "$translated")"
    cp -r "$work/new" "$translated.$$"
    # Another build may have been faster: then its result, which is the same, stays.
    mv -T "$translated.$$" "$translated" 2>/dev/null || rm -r "$translated.$$"
fi
node "$here/build/compile-prelude.mjs" "$here/prelude/main.ts" "$work/prelude.bytecode"

compile_xen_entry "$work"
"${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" -Werror -isystem "$translated" "-Wa,-I$work" \
    "${GUEST_LDFLAGS[@]}" -Wl,--gc-sections \
    "$here"/*.c "$here"/*.S "$translated"/*.o "${KERNEL_SOURCES[@]}" "$work/xen_entry.o" \
    "${GUEST_LIBS[@]}" -o "$out/js.elf"
refuse_syscall "$out/js.elf"
