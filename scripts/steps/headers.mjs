// Where the headers are that a Node addon is compiled against. Nothing is downloaded: they come with
// Node, or from the npm package node-api-headers.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { at } from './root.mjs';

// What node-gyp reads in place of the two files that Node's own headers have. The values are those
// of Node's own common.gypi that matter to an addon that uses Node-API only.
const COMMON_GYPI = {
  variables: { configuring_node: 0, asan: 0, v8_enable_pointer_compression: 0 },
  target_defaults: {
    default_configuration: 'Release',
    cflags: ['-fPIC', '-pthread'],
    cflags_cc: ['-fno-rtti', '-fno-exceptions', '-std=c++20'],
    ldflags: ['-pthread', '-rdynamic'],
    configurations: { Debug: { cflags: ['-g', '-O0'] }, Release: { cflags: ['-O3'] } },
  },
};
const CONFIG_GYPI = {
  target_defaults: {},
  variables: { node_shared: false, napi_build_version: '9' },
};

/** The prefix below which this Node has its headers (`PREFIX/include/node`), if it has them. */
export function nodePrefix() {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  const headers = path.join(prefix, 'include/node');
  const needed = ['node_api.h', 'common.gypi', 'config.gypi'];
  return needed.every((name) => existsSync(path.join(headers, name))) ? prefix : undefined;
}

/** Lays the headers of node-api-headers out as node-gyp expects them; returns the prefix. */
export function layOutHeaders(prefix = at('build/headers')) {
  const from = createRequire(at('package.json'))('node-api-headers').include_dir;
  const to = path.join(prefix, 'include/node');
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name.endsWith('.h')) copyFileSync(path.join(from, name), path.join(to, name));
  }
  writeFileSync(path.join(to, 'common.gypi'), JSON.stringify(COMMON_GYPI, null, 2));
  writeFileSync(path.join(to, 'config.gypi'), JSON.stringify(CONFIG_GYPI, null, 2));
  return prefix;
}

/**
 * The folder for node-gyp's --nodedir. HATCHERY_HEADERS=package makes it use the npm package even
 * where Node has its headers, which is how the tests reach that way.
 */
export function headersPrefix() {
  if (process.env.HATCHERY_HEADERS === 'package') return layOutHeaders();
  return nodePrefix() ?? layOutHeaders();
}
