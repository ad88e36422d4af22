// npm test [-- [--asan] [WORD…]]: sets up what is missing, then lint, types and all tests. With words,
// only the test files whose path contains one of them. "npm run test:asan -- --xen" runs the files of the
// lab with sanitizers. The last line says how many passed.
import { labPackagesStep } from './lab/packages.mjs';
import { SANITIZED } from './steps/addon.mjs';
import { allSteps, testAddonSteps } from './steps/all.mjs';
import { browserPackagesStep, wasiPackagesStep } from './steps/packages.mjs';
import { at } from './steps/root.mjs';
import { SANITIZER_OPTIONS, sanitizerLibraries } from './steps/sanitizers.mjs';
import { runSteps, StepFailure } from './steps/step.mjs';
import { typescriptStep } from './steps/typescript.mjs';

const sanitized = process.argv.includes('--asan');
/** Of fuzzing that a test run contains. */
const FUZZ_SECONDS = 60;
/** `npm run test:xen`: every file that runs in the lab, and there only. */
const inLabOnly = process.argv.includes('--xen');
/** Whoever waits for a terminal gets the core of them with everything else. */
const inWholeLab = inLabOnly || process.env.CI === 'true';
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isComplete = words.length === 0 && !inLabOnly;

/** What makes a process of Node load the addons that were built with sanitizers. */
function sanitizerEnvironment() {
  return {
    HATCHERY_ADDONS: at(SANITIZED),
    LD_PRELOAD: sanitizerLibraries().join(' '),
    ...SANITIZER_OPTIONS,
  };
}

/** Types are checked below, with their errors shown: here they only cost what cannot be compiled. */
async function setUp() {
  // Before the addons, of which those for Xen are left out without its headers. Whether there is a lab
  // is asked again where its tests are to run; so is whether there are a browser and a compiler for WASI.
  await runSteps([labPackagesStep, browserPackagesStep, wasiPackagesStep]);
  const steps = [...allSteps(), ...testAddonSteps({ sanitized })];
  const { failed } = await runSteps(
    steps.map((step) => (step === typescriptStep ? { ...step, optional: true } : step)),
  );
  return failed;
}

/** `npm run fuzz`, as one check. */
async function fuzzAndReport(totals) {
  const [{ fuzz }, { reportCheck, reportSkip }] = await Promise.all([
    import('./testing/fuzzing.mjs'),
    import('./testing/report.mjs'),
  ]);
  try {
    const { failures, skips } = await fuzz(FUZZ_SECONDS);
    for (const skip of skips) reportSkip(totals, 'fuzz', skip);
    reportCheck(totals, 'fuzz', failures.length === 0 ? undefined : failures.join('\n'));
  } catch (error) {
    reportCheck(totals, 'fuzz', String(error?.stack ?? error));
  }
}

/** The files that need Xen, each counted as skipped where there is no lab. */
async function testInLab(files, totals) {
  const [{ labMissing, runLabSuite }, { reportFile, reportSkip }, { shortName }] =
    await Promise.all([
      import('./testing/lab-suite.mjs'),
      import('./testing/report.mjs'),
      import('./testing/tap-suite.mjs'),
    ]);
  const missing = await labMissing();
  if (missing === undefined)
    await runLabSuite(files, (result) => reportFile(totals, result, false), { sanitized });
  else for (const file of files) reportSkip(totals, `${shortName(file)} in the lab`, missing);
}

async function main() {
  const failed = await setUp();
  // Only now: these need the npm packages.
  const [
    { runChecks },
    { Totals, reportCheck, reportFile },
    suite,
    { kvmWorks },
    { isInEveryRun, isInProcessRun, PROCESS_RUN },
  ] = await Promise.all([
    import('./testing/checks.mjs'),
    import('./testing/report.mjs'),
    import('./testing/tap-suite.mjs'),
    import('./testing/kvm.mjs'),
    import('./testing/lab-files.mjs'),
  ]);
  const totals = new Totals();
  for (const name of failed) reportCheck(totals, name, 'this part of the set-up failed, see above');
  if (isComplete) {
    await runChecks((name, failure) => reportCheck(totals, name, failure));
  }
  // Beside the tests, and after them in every queue for a processor.
  const fuzzing = isComplete && !sanitized ? fuzzAndReport(totals) : undefined;
  const kvm = kvmWorks();
  if (!kvm) {
    console.log('KVM does not work here: guests are processes, and tests about KVM are skipped.');
  }
  const found = suite.testFiles(words);
  const host = inLabOnly ? [] : found.host;
  const lab = inWholeLab || words.length > 0 ? found.lab : found.lab.filter(isInEveryRun);
  if (host.length + lab.length === 0)
    reportCheck(totals, 'tests', `no test file is called ${words.join(', ')}`);
  await suite.runSuite(
    host,
    sanitized ? sanitizerEnvironment() : {},
    (result) => reportFile(totals, result, kvm),
    fuzzing,
  );
  // Without KVM that was so already.
  if (isComplete && kvm && host.length > 0) {
    const others = host.filter(isInProcessRun);
    console.log(`Once more, with guests in processes: ${others.length} files`);
    await suite.runSuite(
      others,
      { ...(sanitized ? sanitizerEnvironment() : {}), ...PROCESS_RUN },
      (result) => reportFile(totals, result, false),
    );
  }
  // Alone, too: emulation takes both processors. With sanitizers only where it was asked for.
  if (lab.length > 0 && (inLabOnly || !sanitized)) await testInLab(lab, totals);
  console.log(String(totals));
  return totals.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof StepFailure)) throw error;
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
