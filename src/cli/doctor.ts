/** `hatchery doctor`: what this machine has, what it lacks, and what to do about it. */
import type { Command } from 'commander';
import { chooseDriver } from '../drivers/detect.js';
import type { Check } from './checks/check.js';
import { checkCrashAddress } from './checks/crash-address.js';
import { checkDevice } from './checks/device.js';
import { checkDriver } from './checks/driver.js';
import { checkAddon, checkImage, checkSdk } from './checks/installation.js';
import { checkNode, checkSystem, checkTools } from './checks/system.js';
import { checkWalls } from './checks/walls.js';
import { checkXen } from './checks/xen.js';
import { EXIT_CODES } from './exit-codes.js';
import type { Terminal } from './terminal.js';

export function describeDoctor(command: Command): Command {
  return command
    .description('check the machine and the installation, and say how to repair them')
    .addHelpText(
      'after',
      '\nExamples:\n  hatchery doctor\n  hatchery doctor --json | jq \'.checks[] | select(.state != "ok")\'',
    );
}

const MARKS = {
  ok: { text: 'ok', style: 'green' },
  limited: { text: 'limited', style: 'yellow' },
  lacking: { text: 'LACKING', style: 'red' },
} as const;

/** All checks, in the order in which a person would want to repair things. */
async function checkMachine(): Promise<Check[]> {
  const kvm = checkDriver('kvm');
  const xen = checkXen();
  const processes = checkDriver('process');
  const ofKvm = [checkDevice(), checkAddon(), kvm, await checkCrashAddress(kvm.state === 'ok')];
  return [
    checkSystem(),
    checkNode(),
    // One driver is enough.
    ...(xen.state === 'ok' || processes.state === 'ok' ? ofKvm.map(dispensable) : ofKvm),
    kvm.state === 'ok' ? dispensable(xen) : xen,
    kvm.state === 'ok' || xen.state === 'ok' ? dispensable(processes) : processes,
    { name: 'driver', state: 'ok', detail: `"--driver auto" takes ${chooseDriver('auto')}` },
    checkWalls(),
    await checkImage('js'),
    await checkImage('hello'),
    await checkSdk(),
    ...(await checkTools()),
  ];
}

/** What is missing is a pity, but Hatchery works without it. */
function dispensable(check: Check): Check {
  return check.state === 'lacking' ? { ...check, state: 'limited' } : check;
}

function lineOf(check: Check, terminal: Terminal): string {
  const { text, style } = MARKS[check.state];
  const line = `${terminal.style(style, text.padEnd(8))} ${check.name.padEnd(14)} ${check.detail}`;
  return check.remedy === undefined ? line : `${line}\n${' '.repeat(24)}→ ${check.remedy}`;
}

export async function doctor(terminal: Terminal): Promise<number> {
  const checks = await checkMachine();
  const healthy = checks.every((check) => check.state !== 'lacking');
  const verdict = healthy
    ? 'Hatchery can work here.'
    : 'Hatchery cannot work here yet: see LACKING.';
  terminal.result([...checks.map((check) => lineOf(check, terminal)), '', verdict].join('\n'), {
    healthy,
    checks,
  });
  return healthy ? EXIT_CODES.ok.code : EXIT_CODES.machine.code;
}
