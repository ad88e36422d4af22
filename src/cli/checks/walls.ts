/** The walls around worker processes: what this kernel and this user allow of them. */
import { loadProcessAddon, type Walls } from '../../supervisor/process-native.js';
import { workerUser } from '../../supervisor/user.js';
import type { Check } from './check.js';

const name = 'worker walls';

/** Which walls will be in force? */
export function checkWalls(): Check {
  let walls: Walls;
  try {
    walls = loadProcessAddon().walls();
  } catch (error) {
    const cause = (error as Error).cause;
    return {
      name,
      state: 'limited',
      detail: `no addon: ${cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : error}`,
      remedy:
        'Build it as the other addon; without it "hatchery serve" works only with --workers 0, in ' +
        'one process, where a guest that broke out of its virtual machine would find this user.',
    };
  }
  return wallsCheck(walls, workerUser(undefined)?.user);
}

/** @param user whom workers become; `undefined`: they stay who they are. */
export function wallsCheck({ landlock, seccomp }: Walls, user: number | undefined): Check {
  const who = user === undefined ? 'the user who starts them' : `user ${user}`;
  const parts = [
    `${who}, no capabilities`,
    seccomp ? 'system calls filtered' : 'system calls NOT filtered',
    landlock > 0 ? `files walled off (Landlock ${landlock})` : 'files NOT walled off (no Landlock)',
  ];
  const detail = parts.join('; ');
  if (!seccomp) {
    const remedy =
      'Use a kernel with CONFIG_SECCOMP_FILTER; without it "hatchery serve" works only with ' +
      '--workers 0, in one process.';
    return { name, state: 'limited', detail, remedy };
  }
  if (landlock === 0) {
    const remedy =
      'Use Linux 5.13 or later with "landlock" in its list of security modules (the boot option ' +
      'lsm=); without it workers can read what their user can.';
    return { name, state: 'limited', detail, remedy };
  }
  return { name, state: 'ok', detail };
}
