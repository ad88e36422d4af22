/** The operating system, Node, and the tools that build. */
import { execFile } from 'node:child_process';
import { arch, platform, release } from 'node:os';
import { promisify } from 'node:util';
import type { Check } from './check.js';

const OLDEST_NODE = [20, 17] as const;

/** Hatchery runs on one kind of machine so far. */
export function checkSystem(): Check {
  const detail = `${platform()} ${release()} on ${arch()}`;
  return platform() === 'linux' && arch() === 'x64'
    ? { name: 'system', state: 'ok', detail }
    : { name: 'system', state: 'lacking', detail, remedy: 'Use Linux on x86-64.' };
}

/** Is this Node new enough? `scripts/steps/node.mjs` asks the same before anything is installed. */
export function checkNode(): Check {
  const version = process.versions.node;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return recent
    ? { name: 'node', state: 'ok', detail: version }
    : {
        name: 'node',
        state: 'lacking',
        detail: version,
        remedy: `Install Node ${OLDEST_NODE.join('.')} or newer: https://nodejs.org/en/download`,
      };
}

const TOOLS = [
  { command: 'gcc', use: 'builds guest images', package: 'gcc' },
  { command: 'g++', use: 'builds the addon', package: 'g++' },
  { command: 'make', use: 'builds the addon', package: 'make' },
  { command: 'python3', use: 'builds the addon', package: 'python3' },
  { command: 'musl-gcc', use: 'builds guest images', package: 'musl-tools' },
  { command: 'wasm2c', use: 'builds images of modules', package: 'wabt' },
  { command: 'wat2wasm', use: 'assembles modules', package: 'wabt' },
] as const;

/** Tools are wanted to build only: an installed package brings what they make. */
export function checkTools(): Promise<Check[]> {
  return Promise.all(TOOLS.map(checkTool));
}

async function checkTool(tool: (typeof TOOLS)[number]): Promise<Check> {
  const name = `tool ${tool.command}`;
  try {
    const { stdout } = await promisify(execFile)(tool.command, ['--version']);
    return { name, state: 'ok', detail: stdout.split('\n')[0] ?? '' };
  } catch {
    return {
      name,
      state: 'limited',
      detail: `not found (${tool.use})`,
      remedy: `To build from source: "sudo apt-get install ${tool.package}".`,
    };
  }
}
