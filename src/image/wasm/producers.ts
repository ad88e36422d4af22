/** By what a module imports: which compiler made it for another host, and how it makes one for WASI. */

interface Producer {
  readonly imports: RegExp;
  readonly advice: string;
}

const PRODUCERS: readonly Producer[] = [
  {
    imports:
      /^env\.(abort|trace|seed|console\.\w+|Date\.\w+|Math\.\w+|performance\.\w+|process\.\w+)$/,
    advice:
      'asc takes WASI’s with the configuration of @assemblyscript/wasi-shim, or leaves it out with --use abort=',
  },
  {
    imports: /^(go|gojs)\./,
    advice: 'go builds for WASI with GOOS=wasip1 instead of GOOS=js, tinygo with -target=wasip1',
  },
  {
    imports: /^(wbg|__wbindgen_\w+|\.\/\w+_bg\.js)\./,
    advice: 'wasm-bindgen is for JavaScript: build without it, with rustc --target wasm32-wasip1',
  },
  {
    imports: /^env\.(_?emscripten_\w+|__syscall_\w+|_?abort_js|invoke_\w+|__cxa_\w+)$/,
    advice: 'emcc makes a WASI command with -sSTANDALONE_WASM',
  },
  {
    imports: /^wasi_unstable\./,
    advice: 'this is what WASI was before preview 1: build with a later compiler',
  },
];

/** Behind what is said of such an import; empty where nothing is known. */
export function adviceOn(module: string, name: string): string {
  const path = `${module}.${name}`;
  const producer = PRODUCERS.find(({ imports }) => imports.test(path));
  return producer === undefined ? '' : ` (${producer.advice})`;
}
