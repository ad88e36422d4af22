# Sourced by each image's build.sh: how guest code is compiled and linked.
#
# GUEST_CC, GUEST_CFLAGS and GUEST_LDFLAGS are arrays. No stack protector and no thread-local
# storage: FS has no base in a guest. No unwind tables: nothing unwinds. Paths are mapped to names
# that are the same in every checkout, so that an image's digest is too.
kernel_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
images_dir=$(dirname "$kernel_dir")

GUEST_CC=(musl-gcc)
GUEST_CFLAGS=(
    -std=c17 -O2 -Wall -Wextra
    -fno-pic -mcmodel=small -fno-stack-protector -fcf-protection=none
    -fno-asynchronous-unwind-tables -fno-strict-aliasing
    "-ffile-prefix-map=$images_dir=images"
)
GUEST_LDFLAGS=(
    -static -nostdlib -no-pie
    -Wl,-T,"$kernel_dir/image.lds" -Wl,--build-id=none -Wl,-z,max-page-size=4096
    -Wl,-z,noexecstack -Wl,--no-dynamic-linker
)
GUEST_LIBS=(-lc -lgcc)
KERNEL_SOURCES=("$kernel_dir"/*.c "$kernel_dir"/*.S)

# The entries for Xen (xen/) run before the image and under it, at addresses of their own, and must not
# touch its vector state.
XEN_CFLAGS=(
    -std=c17 -O2 -Wall -Wextra -Werror -ffreestanding
    -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-stack-protector
    -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing
    -fno-tree-loop-distribute-patterns "-ffile-prefix-map=$images_dir=images"
)

# compile_xen_entry DIR: makes DIR/xen_entry.o, to be linked into an image by its name.
compile_xen_entry() {
    local objects=$1/xen_entry source object
    mkdir -p "$objects"
    for source in "$kernel_dir"/xen/*.[cS]; do
        object=$objects/$(basename "$source").o
        "${GUEST_CC[@]}" "${XEN_CFLAGS[@]}" -c "$source" -o "$object"
    done
    ld -r -o "$1/xen_entry.o" "$objects"/*.o
    # The image's own names are not these.
    objcopy --keep-global-symbol=pv_entry "$1/xen_entry.o"
}

# refuse_syscall ELF: fails if the image contains a SYSCALL, SYSENTER or INT instruction.
refuse_syscall() {
    local found
    found=$(objdump -d --no-show-raw-insn "$1" | grep -E '\s(syscall|sysenter|int)\b' | head -5 || true)
    if [ -n "$found" ]; then
        printf 'error: %s contains an instruction that no image may contain:\n%s\n' "$1" "$found" >&2
        return 1
    fi
}
