/**
 * A process that bundles one upload. It reads the order from standard input, gives up its rights, and
 * writes what came of it, as JSON. Arguments: a user and a group to become, or `-`; the program that
 * esbuild is.
 */
import { lockDown } from '../../supervisor/lock-down.js';
import { loadProcessAddon } from '../../supervisor/process-native.js';
import { type BundleOrder, bundleUpload } from './bundle-upload.js';
import { BUNDLER_LIMITS } from './bundler-limits.js';

const [user = '-', group = '-', program = ''] = process.argv.slice(2);

// Bound before it has seen anything that a stranger wrote.
await lockDown(loadProcessAddon(), {
  user: user === '-' ? undefined : { user: Number(user), group: Number(group) },
  openFiles: BUNDLER_LIMITS.openFiles,
  supervisor: process.ppid,
  builder: {
    programs: [program],
    writable: [],
    dataBytes: BUNDLER_LIMITS.dataBytes,
    cpuSeconds: BUNDLER_LIMITS.cpuSeconds,
  },
});

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) {
  chunks.push(chunk as Buffer);
}
const order = JSON.parse(Buffer.concat(chunks).toString()) as BundleOrder;
const outcome = await bundleUpload(order).then(
  (bundled) => ({ bundled }),
  (error: Error) => ({ problem: error.message }),
);
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
