#!/usr/bin/env bash
# build.sh OUT_DIR: builds OUT_DIR/hatchery-launcher and OUT_DIR/hatchery-spawner, the programs of the
# process driver: static, so that they run where there is no file system.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: build.sh OUT_DIR}
mkdir -p "$out"
common=(-std=gnu17 -O2 -Wall -Wextra -Werror -fcf-protection=none -fno-asynchronous-unwind-tables
    "-ffile-prefix-map=$here=process_guests")
gcc "${common[@]}" -ffreestanding -fno-stack-protector -mgeneral-regs-only -fpie -mno-red-zone \
    -fno-tree-loop-distribute-patterns -nostdlib -fvisibility=hidden -static -no-pie \
    -Wl,-Ttext-segment=0x600000000000 -Wl,--build-id=none -Wl,-z,noexecstack \
    "$here/launcher.c" -o "$out/hatchery-launcher"
musl_include=/usr/include
musl-gcc "${common[@]}" -static -idirafter "$musl_include" -idirafter "$musl_include/x86_64-linux-gnu" \
    -Wl,--build-id=none "$here"/spawner/*.c -o "$out/hatchery-spawner"
