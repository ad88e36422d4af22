/** `hatchery domain console` on a terminal, which it takes over and gives back. Runs in the lab. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { MAIN } from '../cli/command.js';
import { grubConfig, libxlFor } from './libxl-guests.js';
import { until, within } from './patience.js';

const libxl = await libxlFor(t);

/** `stty -a` of a terminal, once it has said what a terminal says that nobody has taken over. */
const COOKED = /[^-]isig [^-]*icanon /;
const RAW = /-isig -icanon/;

/**
 * A shell's session on a terminal of its own, in which the console's command runs: what the session
 * notes goes to files of `folder`.
 */
class Session {
  readonly #child: ChildProcess;
  readonly #folder: string;
  text = '';

  constructor(folder: string, domain: string) {
    this.#folder = folder;
    const command = `${process.execPath} ${MAIN} domain console ${domain}`;
    const lines = [
      `tty >${folder}/tty`,
      `stty -a >${folder}/before`,
      `sh -c 'echo $$ >${folder}/process; exec ${command}'`,
      `echo $? >${folder}/code`,
      `stty -a >${folder}/after`,
    ];
    this.#child = spawn('script', ['-qfc', lines.join('\n'), '/dev/null'], {
      env: { ...process.env, SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (bytes) => {
      this.text += bytes;
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  shows(pattern: RegExp): Promise<unknown> {
    return until(`the terminal shows ${pattern}`, async () => pattern.test(this.text)).catch(
      (error) => {
        throw new Error(`${error.message}, after: ${this.text}`);
      },
    );
  }

  noted(name: string): string {
    return readFileSync(`${this.#folder}/${name}`, 'utf8').trim();
  }

  /** `stty -a` of its terminal now. */
  mode(): string {
    const args = ['-a', '-F', this.noted('tty')];
    // It complains that it cannot tell the size.
    return execFileSync('stty', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  async ended(): Promise<void> {
    if (this.#child.exitCode === null) {
      await within('the session ends', once(this.#child, 'close'));
    }
  }
}

/** A domain that is still paused: once it runs it takes all of a processor, and Node starts slowly. */
const grub = (name: string) => libxl.createDomain(grubConfig('pvh', name));

t.test('what is typed is the guest’s, Ctrl-C too, until Ctrl-]', async (t) => {
  const folder = t.testdir({});
  const domid = await grub('typed');
  const session = new Session(folder, 'typed');
  await session.shows(/The console of domain \d+; Ctrl-\] leaves it/);
  await until('the terminal is raw', async () => RAW.test(session.mode()));
  await libxl.unpauseDomain(domid);
  await session.shows(/grub> /);
  t.match(session.noted('before'), COOKED);
  t.match(session.mode(), /-echo /, 'the guest alone echoes');
  session.type('\u0003echo one"two"three\r');
  await session.shows(/[\r\n]onetwothree/);
  // GRUB moves the cursor after each letter that it echoes.
  t.notMatch(session.text, /one"two"three/, 'the terminal itself echoes nothing');
  session.type('\u001d');
  await session.ended();
  t.equal(session.noted('code'), '0');
  t.equal(session.noted('after'), session.noted('before'), 'the terminal is as it was');
});

t.test('the terminal is given back when the command is ended, or the domain', async (t) => {
  const ends: Record<string, (session: Session, domid: number) => Promise<unknown>> = {
    signalled: async (session) => process.kill(Number(session.noted('process')), 'SIGTERM'),
    destroyed: async (_, domid) => libxl.destroyDomain(domid),
  };
  for (const [name, end] of Object.entries(ends)) {
    const folder = t.testdir({ [name]: {} });
    const domid = await grub(name);
    const session = new Session(`${folder}/${name}`, name);
    await session.shows(/The console of domain/);
    await until('the terminal is raw', async () => RAW.test(session.mode()));
    await end(session, domid);
    await session.ended();
    t.ok(existsSync(`${folder}/${name}/code`), name);
    t.equal(session.noted('code'), '0');
    t.equal(session.noted('after'), session.noted('before'), 'the terminal is as it was');
  }
});
