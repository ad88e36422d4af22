// Sources of what becomes a part of guests' C library, as Debian has them. apt checks them against
// Debian's signatures; what upstream released is pinned here besides. Nothing of the system's apt changes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { at } from './root.mjs';
import { StepFailure } from './step.mjs';

const SUITES = {
  bookworm: 'http://deb.debian.org/debian',
  'bookworm-security': 'http://deb.debian.org/debian-security',
};
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** `archive`: what upstream released, and its SHA-256. `as`: its folder's name, or a file's. */
const SOURCES = [
  {
    package: 'musl',
    archive: 'musl_1.2.3.orig.tar.gz',
    sha256: '7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4',
    as: 'musl.tar.gz',
  },
  {
    package: 'zlib',
    archive: 'zlib_1.2.13.dfsg.orig.tar.bz2',
    sha256: '71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1',
    as: 'zlib',
  },
  {
    package: 'lua5.4',
    archive: 'lua5.4_5.4.4.orig.tar.gz',
    sha256: '164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61',
    as: 'lua5.4',
  },
];

const wanted = createHash('sha256').update(JSON.stringify(SOURCES)).digest('hex').slice(0, 16);

/** Where the sources are: musl.tar.gz, zlib/ and lua5.4/. */
export const SOURCES_FOLDER = at(`build/cache/sources-${wanted}`);

/** The mirror that the machine's own apt uses for a suite, else Debian's own. */
function mirror(suite, debians) {
  try {
    const targets = execFileSync(
      'apt-get',
      ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    for (const line of targets.split('\n')) {
      const [uri, release, component] = line.split(' ');
      if (release === suite && component === 'main') return uri;
    }
  } catch {
    // No apt, which the download will say.
  }
  return debians;
}

/** Options of apt-get that keep all that it writes below a folder. */
function aptOptions(folder) {
  for (const name of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  const list = Object.entries(SUITES).map(
    ([suite, debians]) =>
      `deb-src [signed-by=${KEYRING}] ${mirror(suite, debians)} ${suite} main\n`,
  );
  writeFileSync(path.join(folder, 'sources.list'), list.join(''));
  const settings = {
    'Dir::Etc::SourceList': path.join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '-',
    'Dir::State': folder,
    'Dir::State::Lists': path.join(folder, 'lists'),
    'Dir::Cache': path.join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function check(source, file) {
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (digest !== source.sha256) {
    throw new StepFailure(`${source.archive} is not what was expected: its SHA-256 is ${digest}`);
  }
}

/** Unpacks upstream's archive and applies Debian's corrections of security flaws. */
async function unpack(source, downloads, folder) {
  const archive = path.join(downloads, source.archive);
  check(source, archive);
  const to = path.join(folder, source.as);
  if (source.as.endsWith('.tar.gz')) {
    renameSync(archive, to);
    return;
  }
  const run = (command) => runLogged('sources', command, { append: true });
  mkdirSync(to);
  await run(['tar', '-xf', archive, '-C', to, '--strip-components=1']);
  const prefix = source.archive.replace(/\.orig\..*/, '');
  const debian = readdirSync(downloads).find(
    (file) => file.startsWith(`${prefix}-`) && file.endsWith('.debian.tar.xz'),
  );
  const corrections = path.join(folder, `${source.package}.debian`);
  mkdirSync(corrections);
  await run(['tar', '-xf', path.join(downloads, debian), '-C', corrections]);
  const patches = path.join(corrections, 'debian/patches');
  const series = path.join(patches, 'series');
  const names = existsSync(series) ? readFileSync(series, 'utf8').split('\n') : [];
  for (const name of names.filter((line) => /cve/i.test(line) && !line.startsWith('#'))) {
    await run(['patch', '-p1', '-d', to, '-i', path.join(patches, name.trim())]);
  }
}

/** @type {import('./step.mjs').Step} */
export const sourcesStep = {
  name: 'sources',
  title: "sources of the guests' C library",
  remedy:
    'this needs apt-get and a mirror of Debian; see the log. Functions in JavaScript do without',
  optional: true,
  isCurrent: () => existsSync(SOURCES_FOLDER),
  async run() {
    const folder = `${SOURCES_FOLDER}.new`;
    rmSync(folder, { recursive: true, force: true });
    const downloads = path.join(folder, 'downloads');
    mkdirSync(downloads, { recursive: true });
    const options = aptOptions(path.join(folder, 'apt'));
    await runLogged('sources', ['apt-get', ...options, 'update']);
    const names = SOURCES.map((source) => source.package);
    await runLogged('sources', ['apt-get', ...options, 'source', '--download-only', ...names], {
      append: true,
      cwd: downloads,
    });
    for (const source of SOURCES) await unpack(source, downloads, folder);
    for (const name of ['apt', 'downloads']) {
      rmSync(path.join(folder, name), { recursive: true, force: true });
    }
    renameSync(folder, SOURCES_FOLDER);
  },
};
