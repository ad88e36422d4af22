import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { driverless, untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { buildC, refusal } from './build-c.js';

const skip = untestable;
const MAIN = 'int main(void) { return 0; }\n';

test('instructions and sections that no program may have', { skip: driverless }, async (t) => {
  const folder = t.testdir({
    'syscall.c': 'int main(void) { __asm__ volatile("syscall"); return 0; }\n',
    'sysenter.c': 'int main(void) { __asm__ volatile("sysenter"); return 0; }\n',
    'int.c': 'int main(void) { __asm__ volatile("int $0x80"); return 0; }\n',
    'fs.c':
      'int main(void) { long a; __asm__ volatile("mov %%fs:0, %0" : "=r"(a)); return (int)a; }\n',
    'xen.c': `__asm__(".pushsection .xen.text, \\"ax\\"\\n nop\\n .popsection");\n${MAIN}`,
    'note.c': `__asm__(".pushsection .note.Xen, \\"a\\"\\n .long 1\\n .popsection");\n${MAIN}`,
    'nothing.c': 'int nothing;\n',
    'wrong.c': 'int main(void) { return x; }\n',
    'undefined.c': 'int f(void);\nint main(void) { return f(); }\n',
    'kernel.c': 'void log_write(void);\nint main(void) { log_write(); return 0; }\n',
  });
  for (const name of ['syscall', 'sysenter', 'int', 'fs']) {
    t.match(await refusal([join(folder, `${name}.c`)]), 'no image may contain', name);
  }
  for (const name of ['xen', 'note']) {
    t.match(await refusal([join(folder, `${name}.c`)]), 'belongs to the library OS', name);
  }
  t.match(await refusal([join(folder, 'nothing.c')]), 'neither main nor application_start');
  t.match(await refusal([join(folder, 'wrong.c')]), /wrong\.c:1:25: error: .x. undeclared/);
  t.match(await refusal([join(folder, 'undefined.c')]), 'undefined reference to `f');
  t.match(await refusal([join(folder, 'kernel.c')]), 'undefined reference to `log_write');
});

test('flags that lead a compiler elsewhere', { skip: driverless }, async (t) => {
  const folder = t.testdir({ 'main.c': MAIN, 'main.s': '' });
  const outside = t.testdirName.replace(/[^/]*$/, '');
  symlinkSync('/usr/include', join(folder, 'link'));
  const source = join(folder, 'main.c');
  const flags = [
    ...[
      '-Wl,-T,/x',
      '-Wa,-I/',
      '-Wp,-MD,/x',
      '-B/x',
      '-fplugin=/x.so',
      '-specs=/x',
      '@/etc/passwd',
    ],
    ...['-x', '-xassembler', '-include', '-include/etc/passwd', '-imacros', '-isystem/', '-I-'],
    ...['-o/x', '-MD', '-save-temps', '-fdump-tree-all', '-wrapper', '-L/usr/lib', '-l:libc.so'],
    ...['-l../../x', '-march=native', '-fstack-protector', '-nostdlib', '-E', '/etc/passwd', 'x.c'],
    ...['-D', '-D1', '-std=c++17', '-O9', '--sysroot=/', '-fprofile-generate', '-pthread', ''],
  ];
  for (const flag of flags) {
    t.match(await refusal([source], [flag]), /^error: .*\n$/, flag);
  }
  for (const place of ['/usr/include', '..', join(folder, 'link'), outside, join(folder, 'none')]) {
    t.match(await refusal([source], [`-I${place}`]), /^error: -I.*\n$/, place);
  }
  t.match(await refusal([source], ['-lssl']), 'the guest has no such library');
  t.match(await refusal([join(folder, 'main.s')]), 'is no C source');
  t.match(await refusal([join(folder, 'none.c')]), 'there is no file');
  mkdirSync(join(folder, 'inside'));
  writeFileSync(join(folder, 'inside/value.h'), '#define VALUE 0\n');
  writeFileSync(source, '#include <value.h>\nint main(void) { return VALUE; }\n');
  await buildC([source], [`-I${join(folder, 'inside')}`, '-O3', '-std=c11', '-fwrapv', '-lm']);
});

test('libraries of the user’s own', { skip: driverless }, async (t) => {
  const folder = t.testdir({
    'main.c': 'int own(void);\nint main(void) { return own(); }\n',
    'own.c': 'int own(void) { return 0; }\n',
    'protected.c':
      'int own(void) { long a; __asm__("mov %%fs:40, %0" : "=r"(a)); return (int)a; }\n',
    'xen.c': `__asm__(".pushsection .xen.text, \\"ax\\"\\n nop\\n .popsection");\nint own(void) { return 0; }\n`,
    ...{ lib: {}, fs: {}, xen: {}, thin: {}, script: {}, link: {}, out: {}, none: {} },
  });
  const at = (path: string) => join(folder, path);
  const outside = t.testdirName.replace(/[^/]*$/, '');
  const archive = (source: string, library: string, options = 'rcs') => {
    const object = at(`${source}.o`);
    execFileSync('gcc', [
      '-O2',
      '-fno-pic',
      '-fcf-protection=none',
      '-c',
      at(source),
      '-o',
      object,
    ]);
    execFileSync('ar', [options, at(library), object], { stdio: 'pipe' });
  };
  archive('own.c', 'lib/libOwn.a');
  archive('protected.c', 'fs/libOwn.a');
  archive('xen.c', 'xen/libOwn.a');
  archive('own.c', 'thin/libOwn.a', 'rcsT');
  writeFileSync(at('script/libOwn.a'), 'INPUT(/etc/passwd)\n');
  symlinkSync('/usr/lib/x86_64-linux-gnu/libm.a', at('link/libOwn.a'));
  symlinkSync('/usr/lib', at('system'));
  symlinkSync('../lib/libOwn.a', at('out/libOwn.a'));
  const refused = (...flags: string[]) => refusal([at('main.c')], flags);
  t.match(await refused('-lOwn'), 'the guest has no such library');
  for (const place of ['/usr/lib', '..', at('system'), outside, at('nowhere'), at('main.c')]) {
    t.match(await refused(`-L${place}`, '-lm'), /^error: -L.*\n$/, place);
  }
  const cases: [string, RegExp][] = [
    ['none', /the guest has no such library/],
    ['fs', /no image may contain/],
    ['xen', /belongs to the library OS/],
    ['thin', /no archive that has its objects in it/],
    ['script', /no archive that has its objects in it/],
    ['link', /leads out of the sources/],
  ];
  for (const [library, why] of cases) {
    t.match(await refused(`-L${at(library)}`, '-lOwn'), why, library);
  }
  for (const flag of ['-L', '-L-', '-l:libOwn.a', '-lOwn/../x']) {
    t.match(await refused(`-L${at('lib')}`, flag), /^error: /, flag);
  }
  const inFolder = await buildC([at('main.c')], [`-L${at('lib')}`, '-lOwn']);
  const { image } = await buildC([at('main.c')], ['-lOwn', `-L${at('out')}`, '-lm']);
  t.ok(
    readFileSync(image).equals(readFileSync(inFolder.image)),
    'by a link among the sources, too',
  );
});

test('headers are the guest’s', { skip: driverless }, async (t) => {
  const folder = t.testdir({
    'main.c': '#include <gnu/libc-version.h>\nint main(void) { return 0; }\n',
  });
  t.match(await refusal([join(folder, 'main.c')]), 'No such file');
});

test('files of the image', { skip }, async (t) => {
  const folder = t.testdir({
    'main.c':
      '#include <stdio.h>\nint main(void) { char text[20] = ""; FILE *file = fopen("/data/a.txt", "r");\n' +
      'fgets(text, sizeof text, file); printf("Content-Type: text/plain\\n\\n%s", text); return 0; }\n',
    data: { 'a.txt': 'packed' },
  });
  const archive = join(folder, 'files.tar');
  execFileSync('tar', ['--format=ustar', '-C', folder, '-cf', archive, 'data']);
  const { image } = await buildC([join(folder, 'main.c')], [], archive);
  await using fabric = await openFabric();
  const program = await deploy(fabric, { name: 'files', image });
  t.equal(await (await program.fetch('http://files/')).text(), 'packed');
});

test('a program that serves by itself', { skip }, async (t) => {
  const folder = t.testdir({
    'main.c':
      '#include <hatchery/kernel/kernel.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n' +
      'static char *kept;\n' +
      'void application_start(void) { kept = malloc(20); strcpy(kept, "started"); puts("log me"); fflush(stdout); }\n' +
      'void application_serve(void) { size_t bytes; if (strstr(request_head(&bytes) + 4, "exit")) exit(4);\n' +
      'const struct response response = {.status = 203, .head = "", .body = kept, .body_bytes = 7};\n' +
      'respond(&response); }\n',
  });
  const { image } = await buildC([join(folder, 'main.c')]);
  await using fabric = await openFabric();
  const program = await deploy(fabric, { name: 'serves', image });
  const response = await program.fetch('http://serves/');
  t.strictSame([response.status, await response.text()], [203, 'started']);
  await t.rejects(program.fetch('http://serves/exit'), {
    code: 'FUNCTION_CRASHED',
    message: /exit with code 4/,
  });
});

test('a program that ends before it is asked', { skip }, async (t) => {
  const folder = t.testdir({
    'main.c': `#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { exit(9); }\n${MAIN}`,
  });
  const { image } = await buildC([join(folder, 'main.c')]);
  await using fabric = await openFabric();
  await t.rejects(deploy(fabric, { name: 'early', image }), { message: /exit code 9/ });
});
