# Parts the C of a large module, as wasm2c 1.0.32 writes it, so that no compiler has all of it in memory.
#
#   awk -v folder=FOLDER -f split-translation.awk module_translated.c
#
# FOLDER, which is there and empty, gets
#   shared.h   what all others begin with: the translator's own definitions, and declarations
#   data.S     what the module's memory begins with
#   rest.c     initialisers and exports: long, and run once
#   large-N.c  a function each, of a length at which what an optimiser costs grows faster than that
#   code-N.c   all other functions
#
# Names in it are the translator's: those of a module's functions begin with "w2c_", so that what was static
# is nobody else's when it is not. The same input gives the same files.
BEGIN {
    PART_BYTES = 4 * 1024 * 1024
    LARGE_BYTES = 1024 * 1024
    shared = folder "/shared.h"
    rest = folder "/rest.c"
    include = "#include \"shared.h\""
    data = folder "/data.S"
    print include >rest
    print "    .section .note.GNU-stack, \"\", @progbits\n    .section .rodata.module_data, \"a\"" >data
    part_bytes = PART_BYTES
}

# Until the first variable of the module's.
!begun && $0 != "static bool s_module_initialized = false;" { print >shared; next }
{ begun = 1 }

in_function {
    line[++lines] = $0
    bytes += length($0) + 1
    if ($0 == "}") {
        end_function()
        in_function = 0
    }
    next
}

/^static u32 func_types\[/ {
    sub(/^static /, "")
    print "extern " $0 >shared
    print >rest
    next
}

/^static [^()]*w2c_[A-Za-z0-9_]*\(Z_module_instance_t\* instance/ {
    sub(/^static /, "")
    in_function = 1
    lines = 1
    line[1] = $0
    bytes = length($0) + 1
    next
}

/^static [^()]*w2c_[A-Za-z0-9_]*\(Z_module_instance_t\*/ {
    sub(/^static /, "")
    print >shared
    next
}

# Lines of bytes with a comma behind each.
in_data {
    if ($0 == "};") in_data = 0
    else {
        sub(/, *$/, "")
        if (length($0) > 0) print "    .byte" $0 >data
    }
    next
}

/^static const u8 data_segment_data_[A-Za-z0-9_]*\[\] = \{$/ {
    name = substr($4, 1, index($4, "[") - 1)
    print "    .globl " name "\n" name ":" >data
    in_data = 1
    next
}

# One after the other, a hundred thousand of them would take a compiler minutes.
/^  LOAD_DATA\(/ {
    if (!/^  LOAD_DATA\(instance->[A-Za-z0-9_]+, [0-9]+u, data_segment_data_[A-Za-z0-9_]+, [0-9]+\);$/) {
        print "error: this wasm2c is another version: its data are not as expected" >"/dev/stderr"
        exit 1
    }
    gsub(/u,|[(),;]/, " ")
    if (loads++ == 0) {
        print "  extern const struct { const u8* from; u32 to, bytes; } module_loads[];" >rest
        print "  extern const u32 module_load_count;" >rest
        print "  for (u32 i = 0; i < module_load_count; i++)" >rest
        print "    LOAD_DATA(" $2 ", module_loads[i].to, module_loads[i].from, module_loads[i].bytes);" >rest
    }
    load[loads] = "    .quad " $4 "\n    .long " $3 ", " $5
    next
}

# Functions may copy from these, too.
/^static const wasm_elem_segment_expr_t elem_segment_exprs_/ { sub(/^static /, "") }
{ print >rest }

END {
    print "    .balign 8\n    .globl module_loads, module_load_count\nmodule_loads:" >data
    for (i = 1; i <= loads; i++) print load[i] >data
    print "module_load_count:\n    .long " loads + 0 >data
}

function end_function(    file, i) {
    if (bytes >= LARGE_BYTES) {
        file = folder "/large-" (++large) ".c"
        print include >file
    } else {
        if (part_bytes + bytes > PART_BYTES) {
            if (part > 0) close(code)
            code = folder "/code-" (++part) ".c"
            print include >code
            part_bytes = 0
        }
        part_bytes += bytes
        file = code
    }
    for (i = 1; i <= lines; i++) {
        if (line[i] ~ /^ *(memory_init|funcref_table_init)\(/) declare_segment(line[i], file)
    }
    for (i = 1; i <= lines; i++) print line[i] >file
    if (file != code) close(file)
}

function declare_segment(text, file) {
    if (match(text, /data_segment_data_[A-Za-z0-9_]*/)) {
        print "extern const u8 " substr(text, RSTART, RLENGTH) "[];" >file
    } else if (match(text, /elem_segment_exprs_[A-Za-z0-9_]*/)) {
        print "extern const wasm_elem_segment_expr_t " substr(text, RSTART, RLENGTH) "[];" >file
    }
}
