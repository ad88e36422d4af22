#!/usr/bin/env bash
# build.sh OUT_DIR: builds OUT_DIR/js.elf, the image that runs JavaScript functions.
#
# Needs wasm2c, wasm2wat and wat2wasm (wabt 1.0.32), musl-gcc, node, and the npm packages
# quickjs-wasi and esbuild. CACHE_DIR, if set, keeps the translated engine between builds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build.sh OUT_DIR}
# shellcheck source=../kernel/flags.sh
source "$here/../kernel/flags.sh"

package_dir=$(cd "$here" && node -p \
    "path.dirname(require.resolve('quickjs-wasi/package.json', {paths: ['$here']}))")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# The run-time header comes with wabt, in a folder that holds glibc's headers too.
cp /usr/include/wasm-rt.h "$work"

# Translated code: no bounds checks (see wasm_runtime.c), one section for each function so that the
# linker can leave out what nothing calls.
translated_flags=(
    "${GUEST_CFLAGS[@]}" -std=gnu17 -w -ffunction-sections -fdata-sections
    -DWASM_RT_MEMCHECK_SIGNAL_HANDLER=1 -DWASM_RT_SKIP_SIGNAL_RECOVERY=1
    "-ffile-prefix-map=$work=images/js" -I "$work"
)

compile_translated() { "${GUEST_CC[@]}" "${translated_flags[@]}" -c "$work/$1.c" -o "$work/$1.o"; }

translate_engine() {
    wasm2c "$package_dir/quickjs.wasm" -n env -o "$work/quickjs.c"
    compile_translated quickjs
}

translate_extension() {
    local name=$1 module="$package_dir/extensions/$1/$1.so"
    wasm2wat --enable-all "$module" | node "$here/build/link-extension.mjs" >"$work/$name.wat"
    wat2wasm "$work/$name.wat" -o "$work/$name.wasm"
    wasm2c "$work/$name.wasm" -n "$name" -o "$work/$name.c"
    compile_translated "$name"
}

# What a side module asks for in its dylink.0 section, as C macros.
extension_sizes() {
    wasm-objdump -x "$package_dir/extensions/$1/$1.so" | awk -v name="${1^^}" '
        $2 == "mem_size" { print "#define " name "_MEMORY_BYTES " $4 "u" }
        $2 == "table_size" { print "#define " name "_TABLE_ENTRIES " $4 "u" }'
}

extensions=(url encoding crypto)

translate_engine &
engine_job=$!
for extension in "${extensions[@]}"; do
    translate_extension "$extension"
    extension_sizes "$extension" >>"$work/extension_sizes.h"
done
node "$here/build/compile-prelude.mjs" "$here/prelude/main.ts" "$work/prelude.bytecode"
wait "$engine_job"

"${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" -Werror -isystem "$work" "-ffile-prefix-map=$work=images/js" \
    "-Wa,-I$work" "${GUEST_LDFLAGS[@]}" -Wl,--gc-sections \
    "$here"/*.c "$here"/*.S "$work"/*.o "${KERNEL_SOURCES[@]}" "${GUEST_LIBS[@]}" -o "$out/js.elf"
refuse_syscall "$out/js.elf"
