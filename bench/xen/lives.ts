/** Lives of domains of the C image through the driver, step by step. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Driver, Exit, Shell, Snapshot } from '../../src/drivers/driver.js';
import { parseElf } from '../../src/image/elf.js';
import { settle } from './settle.js';

/** Far beyond what any of it takes, milliseconds. */
const DEADLINE = 60_000;

/** The shortest request frame: a header, and nothing in it. */
const REQUEST = { reason: 'request', bytes: new Uint8Array(16) } as const;

/** Where a request runs that is expected to be short. */
const INLINE = 'inline';

function run(shell: Shell, resume: typeof REQUEST | undefined): Exit | Promise<Exit> {
  return shell.run(resume, performance.now() + DEADLINE, DEADLINE, INLINE);
}

function expectKind(exit: Exit, kind: Exit['kind']): Exit {
  if (exit.kind !== kind) {
    throw new Error(`the guest was to be ${kind}: ${exit.kind} ${exit.fault?.reason ?? ''}`);
  }
  return exit;
}

/** Milliseconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Serves one request, to its response. */
export async function serve(shell: Shell): Promise<void> {
  expectKind(await run(shell, REQUEST), 'respond');
}

export async function loadCold(
  driver: Driver,
  image: string,
  { mebibytes, shellsAhead = 0 }: { readonly mebibytes: number; readonly shellsAhead?: number },
): Promise<Snapshot> {
  return driver.load({
    image: parseElf(readFileSync(image), image),
    configuration: new Map(),
    memoryBytes: mebibytes << 20,
    name: 'bench',
    shellsAhead,
  });
}

/** A shell that has booted to the snapshot point. */
export async function boot(cold: Snapshot): Promise<Shell> {
  const shell = await cold.createShell({ reusable: false });
  expectKind(await run(shell, undefined), 'ready');
  return shell;
}

/** A snapshot of a shell that has booted. */
export async function captureReady(cold: Snapshot): Promise<Snapshot> {
  const shell = await boot(cold);
  const snapshot = await shell.capture();
  await shell.destroy();
  await settle();
  return snapshot;
}

/**
 * From the call that makes a domain to the guest's first instruction, milliseconds: what it takes until
 * the guest is ready, without the time in the guest. The way back to the caller is in it, too.
 */
export async function spawnTime(cold: Snapshot): Promise<{ milliseconds: number; shell: Shell }> {
  const start = performance.now();
  const shell = await cold.createShell({ reusable: false });
  const exit = expectKind(await run(shell, undefined), 'ready');
  const milliseconds = performance.now() - start - exit.guestMicroseconds / 1000;
  return { milliseconds, shell };
}

/**
 * The same without a pause between several, until xenstore has the names of all of them: milliseconds for
 * each.
 */
export async function spawnTimeWithNames(cold: Snapshot, count: number): Promise<number> {
  const shells: Shell[] = [];
  let inGuests = 0;
  const milliseconds = await timed(async () => {
    while (shells.length < count) {
      const shell = await cold.createShell({ reusable: false });
      const exit = expectKind(await run(shell, undefined), 'ready');
      inGuests += exit.guestMicroseconds / 1000;
      shells.push(shell);
    }
    while (namesInStore() < count) await settle();
  });
  await Promise.all(shells.map((shell) => shell.destroy()));
  await settle();
  return (milliseconds - inGuests) / count;
}

/** How many domains of the benchmark xenstore knows by name. */
function namesInStore(): number {
  const entries = execFileSync('xenstore-ls', ['/local/domain'], { encoding: 'utf8' });
  return entries.match(/name = "hatchery-bench/g)?.length ?? 0;
}

/** A request to a domain that has booted ahead, to its response. */
export async function pooledTime(cold: Snapshot): Promise<number> {
  const shell = await boot(cold);
  await settle();
  const milliseconds = await timed(() => serve(shell));
  await shell.destroy();
  await settle();
  return milliseconds;
}

/** A new domain out of a ready snapshot, to its response. */
export async function cloneTime(ready: Snapshot): Promise<number> {
  let shell: Shell | undefined;
  const milliseconds = await timed(async () => {
    shell = await ready.createShell({ reusable: false });
    await serve(shell);
  });
  await shell?.destroy();
  await settle();
  return milliseconds;
}

/** One request after the other on one domain: a rewind and a response each; milliseconds of each. */
export async function resetTimes(ready: Snapshot, count: number): Promise<number[]> {
  const shell = await ready.createShell({ reusable: true });
  // The first has nothing to undo.
  await serve(shell);
  const times: number[] = [];
  for (let done = 0; done < count; done++) {
    times.push(
      await timed(async () => {
        if (!shell.rewind()) throw new Error('the domain cannot be rewound');
        await serve(shell);
      }),
    );
  }
  await shell.destroy();
  await settle();
  return times;
}

/** Milliseconds for each of `count` lives without a pause between them: made, served, destroyed. */
export async function lifeTime(ready: Snapshot, count: number): Promise<number> {
  const milliseconds = await timed(async () => {
    for (let done = 0; done < count; done++) {
      const shell = await ready.createShell({ reusable: false });
      await serve(shell);
      await shell.destroy();
    }
  });
  return milliseconds / count;
}
