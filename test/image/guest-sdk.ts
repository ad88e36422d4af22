/** The guest SDK that was built here, and a module that it makes an image of. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const SDK = process.env.HATCHERY_SDK ?? fileURLToPath(new URL('../../sdk', import.meta.url));

/** For tap's `skip`. */
export const noSdk = !existsSync(`${SDK}/build-wasm`) && `there is no guest SDK in ${SDK}`;

/** A command that answers any request with "hello from a module" and a line feed. */
export const GREETING_MODULE = `(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "Content-Type: text/plain\\n\\nhello from a module\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 4) (i32.const 46))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))`;
