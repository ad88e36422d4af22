/** The same files, read by Hatchery and by `xl`, give the same configuration. Runs in the lab. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { readDomainConfig } from '../../src/xen/domain-config.js';
import { Libxl } from '../../src/xen/libxl.js';
import { fromLibxlJson } from '../../src/xen/libxl-json.js';
import { FILES, FILES_OF_THE_HOST } from '../domain-config/files.js';

const libxl = await Libxl.open();
const { max_cpu_id = 0, nr_nodes = 1 } = await libxl.physicalInfo();
const host = { count: max_cpu_id + 1, nodes: nr_nodes };
await libxl.close();

const folder = t.testdir({});

/** What xl would ask of libxl: a dry run prints it. */
function xlConfig(text: string): unknown {
  const file = `${folder}/domain.cfg`;
  writeFileSync(file, text);
  const { stdout, stderr, status } = spawnSync('xl', ['-N', 'create', file], { encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`xl: ${stderr}`);
  }
  return fromLibxlJson(stdout.slice(stdout.indexOf('{')));
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

function isDefault(path: string, key: string, field: unknown): boolean {
  return (
    (path === 'config.pcidevs' && (field === 0 || field === false)) ||
    (key.startsWith('on_') && field === 'destroy') ||
    (typeof field === 'object' && field !== null && Object.keys(field).length === 0)
  );
}

for (const [what, text] of Object.entries({ ...FILES, ...FILES_OF_THE_HOST })) {
  t.test(what, async (t) => {
    const { config } = readDomainConfig(
      { text, file: 'domain.cfg' },
      { host, findFirmware: () => undefined },
    );
    const uuid = text.includes('uuid =') ? config.c_info.uuid : 'any';
    const ours = { ...config, c_info: { ...config.c_info, uuid } };
    const xls = xlConfig(text) as typeof config;
    const theirs = { ...xls, c_info: { ...xls.c_info, ...(uuid === 'any' ? { uuid } : {}) } };
    t.same(comparable(ours, 'config'), comparable(theirs, 'config'));
  });
}
