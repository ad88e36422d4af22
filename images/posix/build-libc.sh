#!/usr/bin/env bash
# build-libc.sh SOURCE.tar.gz OUT_DIR: builds musl with its system calls replaced by calls of the library
# OS (musl/), to OUT_DIR/lib/libc.a and OUT_DIR/include.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_archive=$(realpath "${1:?usage: build-libc.sh SOURCE.tar.gz OUT_DIR}")
out=$(realpath -m "${2:?usage: build-libc.sh SOURCE.tar.gz OUT_DIR}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tar -xzf "$source_archive" -C "$work" --strip-components=1
cd "$work"
# What has a SYSCALL instruction and a C file to take its place, of musl's own or of ours; and dynamic
# loading, of which there is none.
rm src/process/x86_64/vfork.s src/signal/x86_64/restore.s src/thread/x86_64/*.s src/ldso/x86_64/*.s
cp -R "$here/musl/." .

CC=gcc AR=ar RANLIB=ranlib CFLAGS="-O2 -fno-pic -mcmodel=small -fno-stack-protector -fcf-protection=none \
    -ffile-prefix-map=$work=musl -ffunction-sections -fdata-sections" \
    ./configure --prefix="$out" --disable-shared --disable-gcc-wrapper --target=x86_64 >/dev/null
make -s -j2 lib/libc.a
make -s -j2 install-headers
install -D -m 644 lib/libc.a "$out/lib/libc.a"
install -D -m 644 COPYRIGHT "$out/licences/musl"
if objdump -d --no-show-raw-insn "$out/lib/libc.a" | grep -E '\s(syscall|sysenter|int)\b|%fs' | head -5 | grep .; then
    echo 'error: the C library contains an instruction that no image may contain' >&2
    exit 1
fi
