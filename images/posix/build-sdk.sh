#!/usr/bin/env bash
# build-sdk.sh SOURCES_DIR OUT_DIR: builds what C programs are compiled against to OUT_DIR: include/, lib/
# and the command build-c. SOURCES_DIR has unpacked sources: lua5.4/ and zlib/, and musl.tar.gz.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$(realpath "${1:?usage: build-sdk.sh SOURCES_DIR OUT_DIR}")
out=$(realpath -m "${2:?usage: build-sdk.sh SOURCES_DIR OUT_DIR}")
# shellcheck source=../kernel/flags.sh
source "$here/../kernel/flags.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out/include/c" "$out/lib" "$out/licences"

# All that the C library is made of, as a digest: it takes most of the time, so CACHE_DIR keeps it.
libc_key() {
    {
        gcc --version
        cat "$here/build-libc.sh" "$sources/musl.tar.gz" "$here"/musl/*/*/*.h "$here"/musl/src/*/*/*.c
    } | sha256sum | cut -c1-16
}
libc=${CACHE_DIR:-$work}/libc-$(libc_key)
if [ ! -d "$libc" ]; then
    "$here/build-libc.sh" "$sources/musl.tar.gz" "$work/new-libc"
    mkdir -p "$(dirname "$libc")"
    cp -R "$work/new-libc" "$libc.$$"
    # Another build may have been faster: then its result, which is the same, stays.
    mv -T "$libc.$$" "$libc" 2>/dev/null || rm -r "$libc.$$"
fi
cp -R "$libc/include/." "$out/include/c"
cp "$libc/lib/libc.a" "$out/lib/libc.a"
cp "$libc/licences/musl" "$out/licences/musl"

GUEST_CC=(gcc -nostdinc -isystem "$out/include/c" -isystem "$(gcc -print-file-name=include)")
small_sections=(-ffunction-sections -fdata-sections "-ffile-prefix-map=$work=sdk" "-ffile-prefix-map=$out=sdk" "-ffile-prefix-map=$sources=sources")

# compile_all DIR FLAG… -- SOURCE…: makes DIR/NAME.o of each.
compile_all() {
    local into=$1 flags=() source
    shift
    while [ "$1" != -- ]; do
        flags+=("$1")
        shift
    done
    shift
    mkdir -p "$into"
    for source in "$@"; do
        "${GUEST_CC[@]}" "${GUEST_CFLAGS[@]}" "${small_sections[@]}" "${flags[@]}" -c "$source" \
            -o "$into/$(basename "$source").o"
    done
}

# The library OS as one object for each manner of programs, in which a program meets no name but those.
compile_xen_entry "$work"
cp "$work/xen_entry.o" "$out/lib/xen_entry.o"
compile_all "$work/os" -Werror -D_GNU_SOURCE -- "${KERNEL_SOURCES[@]}" "$images_dir"/files/*.c "$images_dir"/gateway/*.c "$here"/*.c
mv "$work/os/main_manner.c.o" "$work/os/application_manner.c.o" "$work"
for manner in main application; do
    ld -r -o "$out/lib/start_$manner.o" "$work"/os/*.o "$work/${manner}_manner.c.o"
done
common=(_start __hatchery_system_call abort)
kernel_names=(
    start_unconfigured configuration_find request_head request_body_read request_body_first respond
    response_begin response_push response_end host_call host_wait log_write panic clock_wall
    clock_monotonic clock_request_start random_fill heap_bytes
)
printf '%s\n' "${common[@]}" >"$work/main_names"
printf '%s\n' "${common[@]}" "${kernel_names[@]}" >"$work/application_names"
for manner in main application; do
    objcopy --keep-global-symbols="$work/${manner}_names" "$out/lib/start_$manner.o"
done
cp "$kernel_dir/image.lds" "$out/lib/image.lds"
mkdir -p "$out/include/hatchery/hatchery/abi" "$out/include/hatchery/hatchery/kernel"
cp "$images_dir/abi/hatchery.h" "$out/include/hatchery/hatchery/abi/"
cp "$kernel_dir/kernel.h" "$out/include/hatchery/hatchery/kernel/"
cp "$(gcc -print-libgcc-file-name)" "$out/lib/libgcc.a"

# Archives without dates and owners; musl has its other libraries in libc.a.
ar_flags=crsD
for name in m pthread rt dl util crypt; do
    ar "$ar_flags" "$out/lib/lib$name.a"
done

zlib=$sources/zlib
compile_all "$work/zlib" -w -D_LARGEFILE64_SOURCE=1 -DHAVE_UNISTD_H -DHAVE_STDARG_H -- \
     "$zlib"/{adler32,compress,crc32,deflate,gzclose,gzlib,gzread,gzwrite,infback,inffast,inflate,inftrees,trees,uncompr,zutil}.c
ar "$ar_flags" "$out/lib/libz.a" "$work"/zlib/*.o
mkdir -p "$out/include/libraries"
cp "$zlib/zlib.h" "$zlib/zconf.h" "$out/include/libraries/"
sed -n '/Copyright (C)/,/\*\//p' "$zlib/zlib.h" | sed '/\*\//d' >"$out/licences/zlib"

lua=$sources/lua5.4/src
mapfile -t lua_sources < <(printf '%s\n' "$lua"/*.c | grep -v -E '/(lua|luac|onelua|ltests)\.c$')
compile_all "$work/lua" -w -- "${lua_sources[@]}"
ar "$ar_flags" "$out/lib/liblua5.4.a" "$work"/lua/*.o
mkdir -p "$out/include/libraries/lua5.4"
cp "$lua"/{lua,luaconf,lualib,lauxlib}.h "$out/include/libraries/lua5.4/"
sed -n '/^\* Copyright (C)/,/^\*\*\*\*/p' "$lua/lua.h" | sed 's/^\* \{0,1\}//; /^\**\/\{0,1\}$/d' >"$out/licences/lua"

install -m 755 "$here/build-c" "$out/build-c"
