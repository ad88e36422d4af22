/**
 * What WebAssembly has that `wasm2c` of wabt 1.0.32 does not translate: it refuses most of it, aborts at
 * vector instructions, and writes wrong code for some locals of vector types. So modules are checked
 * before it sees them.
 */

interface FeatureFacts {
  readonly title: string;
  /** How those who make modules are told to leave it out. */
  readonly avoidedBy: string;
}

export const FEATURES = {
  simd: {
    title: 'vector instructions (SIMD)',
    avoidedBy: 'clang -mno-simd128, rustc -C target-feature=-simd128, asc without --enable simd',
  },
  relaxedSimd: {
    title: 'relaxed vector instructions',
    avoidedBy: 'clang -mno-relaxed-simd, rustc -C target-feature=-relaxed-simd',
  },
  tailCalls: {
    title: 'tail calls',
    avoidedBy: 'clang -mno-tail-call, rustc -C target-feature=-tail-call',
  },
  threads: {
    title: 'threads (shared memory and atomic instructions)',
    avoidedBy:
      'clang -mno-atomics without -pthread and --shared-memory, rustc -C target-feature=-atomics ' +
      'for the target wasm32-wasip1, asc without --enable threads',
  },
  memory64: {
    title: '64-bit memory',
    avoidedBy: 'clang --target=wasm32-wasi, rustc --target wasm32-wasip1',
  },
  multipleMemories: {
    title: 'several memories',
    avoidedBy:
      'clang -mno-multimemory, rustc -C target-feature=-multimemory, ' +
      'wasm-opt --multi-memory-lowering',
  },
  pageSizes: {
    title: 'pages of another size than 64 KiB',
    avoidedBy: 'wasm-ld without --page-size',
  },
  extendedConstants: {
    title: 'extended constant expressions',
    avoidedBy: 'clang -mno-extended-const, rustc -C target-feature=-extended-const',
  },
  exceptions: {
    title: 'exceptions',
    avoidedBy:
      'clang -fno-exceptions -fno-wasm-exceptions, rustc -C panic=abort, tinygo -panic=trap',
  },
  functionReferences: {
    title: 'typed function references',
    avoidedBy: 'wasm-opt --disable-typed-function-references --disable-gc',
  },
  garbageCollection: {
    title: 'garbage-collected types',
    avoidedBy: 'a compiler to linear memory: clang, rustc, TinyGo, Zig, AssemblyScript',
  },
  wideArithmetic: {
    title: '128-bit arithmetic',
    avoidedBy: 'clang -mno-wide-arithmetic, rustc -C target-feature=-wide-arithmetic',
  },
} as const satisfies Record<string, FeatureFacts>;

export type Feature = keyof typeof FEATURES;

/** Where a feature is used. */
export interface FeatureUse {
  readonly feature: Feature;
  /** In the file. */
  readonly offset: number;
  /** Index of the function, among all, imported ones first; `undefined`: outside of functions. */
  readonly function?: number;
  /** The function's name, where the module says it. */
  readonly name?: string;
}

/** Thrown where decoding cannot go on behind a feature. */
export class UnsupportedFeature extends Error {
  override readonly name = 'UnsupportedFeature';

  constructor(
    readonly feature: Feature,
    readonly offset: number,
  ) {
    super(`${FEATURES[feature].title} at offset 0x${offset.toString(16)}`);
  }
}
