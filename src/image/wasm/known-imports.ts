/**
 * The functions that the library OS has for a module, with their types. Those of WASI preview 1 are
 * what witx/wasi_snapshot_preview1.witx says, lowered as its document on the ABI has it; docs/wasi.md
 * says what each of them does here.
 */
import type { FunctionType, ValueType } from './types.js';

const LETTERS: Readonly<Record<string, ValueType>> = { i: 'i32', I: 'i64' };

/** `iI:i` takes an i32 and an i64, and gives an i32. */
function typeOf(notation: string): FunctionType {
  const [parameters = [], results = []] = notation
    .split(':')
    .map((letters) => [...letters].map((letter) => LETTERS[letter] ?? 'i32'));
  return { parameters, results };
}

const WASI: Readonly<Record<string, string>> = {
  args_get: 'ii:i',
  args_sizes_get: 'ii:i',
  clock_res_get: 'ii:i',
  clock_time_get: 'iIi:i',
  environ_get: 'ii:i',
  environ_sizes_get: 'ii:i',
  fd_advise: 'iIIi:i',
  fd_allocate: 'iII:i',
  fd_close: 'i:i',
  fd_datasync: 'i:i',
  fd_fdstat_get: 'ii:i',
  fd_fdstat_set_flags: 'ii:i',
  fd_fdstat_set_rights: 'iII:i',
  fd_filestat_get: 'ii:i',
  fd_filestat_set_size: 'iI:i',
  fd_filestat_set_times: 'iIIi:i',
  fd_pread: 'iiiIi:i',
  fd_prestat_dir_name: 'iii:i',
  fd_prestat_get: 'ii:i',
  fd_pwrite: 'iiiIi:i',
  fd_read: 'iiii:i',
  fd_readdir: 'iiiIi:i',
  fd_renumber: 'ii:i',
  fd_seek: 'iIii:i',
  fd_sync: 'i:i',
  fd_tell: 'ii:i',
  fd_write: 'iiii:i',
  path_create_directory: 'iii:i',
  path_filestat_get: 'iiiii:i',
  path_filestat_set_times: 'iiiiIIi:i',
  path_link: 'iiiiiii:i',
  path_open: 'iiiiiIIii:i',
  path_readlink: 'iiiiii:i',
  path_remove_directory: 'iii:i',
  path_rename: 'iiiiii:i',
  path_symlink: 'iiiii:i',
  path_unlink_file: 'iii:i',
  poll_oneoff: 'iiii:i',
  proc_exit: 'i:',
  proc_raise: 'i:i',
  random_get: 'ii:i',
  sched_yield: ':i',
  sock_accept: 'iii:i',
  sock_recv: 'iiiiii:i',
  sock_send: 'iiiii:i',
  sock_shutdown: 'ii:i',
};

/** The channel, for reactors; docs/wasm.md says what each of them does. */
const HATCHERY: Readonly<Record<string, string>> = {
  log: 'iii:i',
  request_body_read: 'ii:i',
  request_head: 'ii:i',
  response_begin: 'iii:i',
  response_flush: ':i',
  response_write: 'ii:i',
};

const MODULES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  wasi_snapshot_preview1: WASI,
  hatchery: HATCHERY,
};

/** Names of the modules that there are functions of. */
export const KNOWN_MODULES = Object.keys(MODULES);

/** The type of a function that a module may import; `undefined`: the library OS has not got it. */
export function knownFunction(module: string, name: string): FunctionType | undefined {
  const functions = Object.hasOwn(MODULES, module) ? MODULES[module] : undefined;
  const notation = functions && Object.hasOwn(functions, name) ? functions[name] : undefined;
  return notation === undefined ? undefined : typeOf(notation);
}
