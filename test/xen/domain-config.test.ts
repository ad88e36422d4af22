/** The same files, read by Hatchery and by `xl`, give the same configuration. Runs in the lab. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { readDomainConfig } from '../../src/xen/domain-config.js';
import { Libxl } from '../../src/xen/libxl.js';
import type { DomainConfig } from '../../src/xen/libxl-config.js';
import { fromLibxlJson } from '../../src/xen/libxl-json.js';
import { FILES, FILES_OF_THE_HOST } from '../domain-config/files.js';

const libxl = await Libxl.open();
const { max_cpu_id = 0, nr_nodes = 1 } = await libxl.physicalInfo();
const host = { count: max_cpu_id + 1, nodes: nr_nodes };
await libxl.close();

const ALL = Object.entries({ ...FILES, ...FILES_OF_THE_HOST });

/** Dry runs of all files, in one process: to start one from Node takes long in the lab. */
const DRY_RUNS = `
  cd "$0" || exit
  for file in *.cfg; do
    xl -N create "$PWD/$file" >"\${file%.cfg}.out" 2>"\${file%.cfg}.err" || true
  done`;

const folder = t.testdir(Object.fromEntries(ALL.map(([, text], index) => [`${index}.cfg`, text])));
execFileSync('sh', ['-c', DRY_RUNS, folder]);

/** What xl would ask of libxl for a file. */
function xlConfig(index: number): DomainConfig {
  const out = readFileSync(`${folder}/${index}.out`, 'utf8');
  if (!out.includes('{')) {
    throw new Error(readFileSync(`${folder}/${index}.err`, 'utf8'));
  }
  return fromLibxlJson(out.slice(out.indexOf('{'))) as DomainConfig;
}

/** Without what libxl does not print because it is the default. */
function comparable(value: unknown, path: string): unknown {
  if (Array.isArray(value)) {
    return path.endsWith('_affinity')
      ? value.map((cpus: number[]) => cpus.filter((cpu) => cpu < host.count))
      : value.map((item) => comparable(item, path));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value)
    .map(([key, field]) => [key, comparable(field, `${path}.${key}`)] as const)
    .filter(([key, field]) => !isDefault(path, key, field));
  return Object.fromEntries(entries);
}

const DEVICES = ['config.pcidevs', 'config.disks'];

function isDefault(path: string, key: string, field: unknown): boolean {
  return (
    (DEVICES.includes(path) && [0, false, 'unknown'].includes(field as never)) ||
    (key.startsWith('on_') && field === 'destroy') ||
    (typeof field === 'object' && field !== null && Object.keys(field).length === 0)
  );
}

for (const [index, [what, text]] of ALL.entries()) {
  t.test(what, async (t) => {
    const source = { text, file: 'domain.cfg' };
    const { config } = readDomainConfig(source, { host, findFirmware: () => undefined });
    const theirs = xlConfig(index);
    if (!text.includes('uuid =')) {
      t.match(config.c_info.uuid, /^[0-9a-f-]{36}$/);
      theirs.c_info.uuid = config.c_info.uuid;
    }
    t.same(comparable(config, 'config'), comparable(theirs, 'config'));
  });
}
