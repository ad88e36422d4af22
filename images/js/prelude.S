/* The prelude's bytecode, made by build/compile-prelude.mjs. */
    .section .rodata
    .globl prelude_bytecode, prelude_bytecode_end
prelude_bytecode:
    .incbin "prelude.bytecode"
prelude_bytecode_end:
    .section .note.GNU-stack,"",@progbits
