/**
 * Where compilers run on what somebody wrote: a process without rights (native/process) that can read
 * the tool chain and its inputs, write to folders of its own, and has neither network nor other files.
 */
import { constants } from 'node:fs';
import { chmod, chown, mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import { constants as systemConstants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfinedProcess } from '../../supervisor/confined-process.js';
import type { User } from '../../supervisor/user.js';
import { OwnFolder } from './leftovers.js';
import { SANDBOX_LIMITS, type SandboxLimits } from './sandbox-limits.js';

const ENTRY = fileURLToPath(new URL('./sandboxed-command.js', import.meta.url));

/** Where Debian has programs, what they are linked with, and what compilers read. */
const PROGRAMS = ['/usr/bin', '/usr/lib', '/usr/lib64', '/usr/libexec', '/bin', '/lib', '/lib64'];
const TOOLS = [...PROGRAMS, '/usr/include', '/etc/ld.so.cache'];
const DEVICES = ['/dev/null'];

const OUTPUT_BYTES = 1024 * 1024;
const MEBIBYTE = 1024 * 1024;
const LOOK_MILLISECONDS = 200;
/** Nobody has more files than that in the way of compiling. */
const MOST_FILES = 100_000;

/** What a sandboxed process is told. */
export interface CommandOrder {
  readonly user: User | undefined;
  readonly limits: SandboxLimits;
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly programs: readonly string[];
  readonly command: readonly string[];
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface SandboxOptions {
  /** Whom its processes become; `undefined`: they stay who this one is. */
  readonly user: User | undefined;
  readonly limits?: Partial<SandboxLimits> | undefined;
  /** Ends what runs, with all that it started. */
  readonly signal?: AbortSignal | undefined;
}

/** A command failed, or was ended as it hit a limit. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  /**
   * @param reason a sentence's end: what happened
   * @param complaint what the command wrote to standard error, cut
   */
  constructor(
    readonly reason: string,
    readonly complaint: string,
  ) {
    super(complaint === '' ? reason : `${reason}\n${complaint}`);
  }
}

export class Sandbox {
  /** Written by this process, read by commands. */
  readonly inputs: string;
  /** An empty folder that commands write to; they run in it. */
  readonly work: string;
  /** Where commands put what comes of them. */
  readonly outputs: string;
  readonly #own: OwnFolder;
  readonly #folder: string;
  readonly #temporary: string;
  readonly #user: User | undefined;
  readonly #limits: SandboxLimits;
  readonly #signal: AbortSignal | undefined;

  private constructor(own: OwnFolder, { user, limits, signal }: SandboxOptions) {
    const folder = own.path;
    this.#own = own;
    this.#folder = folder;
    this.inputs = join(folder, 'inputs');
    this.work = join(folder, 'work');
    this.outputs = join(folder, 'outputs');
    this.#temporary = join(folder, 'temporary');
    this.#user = user;
    this.#limits = { ...SANDBOX_LIMITS, ...limits };
    this.#signal = signal;
  }

  static async create(options: SandboxOptions): Promise<Sandbox> {
    const sandbox = new Sandbox(await OwnFolder.create(), options);
    try {
      await sandbox.#prepare();
    } catch (error) {
      await sandbox.close();
      throw error;
    }
    return sandbox;
  }

  async #prepare(): Promise<void> {
    const user = this.#user;
    await mkdir(this.inputs);
    for (const writable of this.#writable()) {
      await mkdir(writable, { mode: 0o700 });
      if (user !== undefined) {
        await chown(writable, user.user, user.group);
      }
    }
    if (user !== undefined) {
      await chmod(this.#folder, 0o711);
      await chmod(this.inputs, 0o755);
    }
  }

  #writable(): string[] {
    return [this.work, this.outputs, this.#temporary];
  }

  /**
   * Puts a file among the inputs.
   * @param path relative, without `..`
   * @returns its absolute path
   */
  async addInput(path: string, bytes: Uint8Array, mode = 0o644): Promise<string> {
    const absolute = join(this.inputs, path);
    await this.#makeFolders(dirname(absolute));
    await writeFile(absolute, bytes, { flag: 'wx' });
    // Whatever the umask is.
    await chmod(absolute, mode);
    return absolute;
  }

  async #makeFolders(folder: string): Promise<void> {
    if (folder.length <= this.inputs.length) {
      return;
    }
    await this.#makeFolders(dirname(folder));
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
  }

  /**
   * Runs a command in `work`.
   * @param readable what it may read and run, besides the tool chain and the inputs
   * @returns what it wrote to standard output
   * @throws CommandFailure
   */
  async run(command: readonly string[], readable: readonly string[] = []): Promise<string> {
    const order: CommandOrder = {
      user: this.#user,
      limits: this.#limits,
      readable: [...TOOLS, this.inputs, ...readable],
      writable: [...this.#writable(), ...DEVICES],
      programs: [...PROGRAMS, ...readable],
      command,
      workingFolder: this.work,
      environment: {
        PATH: '/usr/bin:/bin',
        HOME: this.#temporary,
        TMPDIR: this.#temporary,
        LC_ALL: 'C',
        TZ: 'UTC',
        SOURCE_DATE_EPOCH: '0',
      },
    };
    const { wallMilliseconds } = this.#limits;
    const confined = new ConfinedProcess(ENTRY, {
      words: [JSON.stringify(order)],
      milliseconds: {
        most: wallMilliseconds,
        exceeded: `it took longer than ${wallMilliseconds / 1_000} s`,
      },
      output: { most: OUTPUT_BYTES, exceeded: 'it printed too much' },
    });
    return this.#watch(confined);
  }

  async #watch(confined: ConfinedProcess): Promise<string> {
    const { workBytes } = this.#limits;
    const stop = () => confined.end('it was stopped');
    this.#signal?.addEventListener('abort', stop);
    if (this.#signal?.aborted === true) {
      stop();
    }
    const look = setInterval(() => {
      void sizeOf(this.#writable(), workBytes).then((size) => {
        if (size > workBytes) confined.end(`it wrote more than ${workBytes / MEBIBYTE} MiB`);
      });
    }, LOOK_MILLISECONDS);
    try {
      const { output, complaint, code, endedFor } = await confined.ending;
      if (endedFor !== undefined || code !== 0) {
        throw new CommandFailure(endedFor ?? this.#reasonOf(code), this.#shown(complaint));
      }
      return output;
    } finally {
      clearInterval(look);
      this.#signal?.removeEventListener('abort', stop);
    }
  }

  #reasonOf(code: number | null): string {
    const signal = (code ?? 0) - 128;
    const { SIGKILL, SIGXCPU, SIGXFSZ } = systemConstants.signals;
    if (signal === SIGXFSZ) {
      return `it wrote a file of more than ${this.#limits.fileBytes / MEBIBYTE} MiB`;
    }
    if (signal === SIGXCPU || signal === SIGKILL) {
      return `it used more than ${this.#limits.cpuSeconds} s of processor time`;
    }
    return signal > 0 ? `it was ended by signal ${signal}` : 'it failed';
  }

  /** Paths as those know them who gave the inputs, and nothing that a terminal takes for a command. */
  #shown(text: string): string {
    return (
      text
        .replaceAll(`${this.inputs}/`, '')
        .replaceAll(`${this.#folder}/`, '')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is not to be shown.
        .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?')
        .trim()
    );
  }

  /**
   * Reads what a command made: a file, and no link to one.
   * @param name in `outputs`
   * @throws CommandFailure
   */
  async readOutput(name: string, mostBytes = this.#limits.fileBytes): Promise<Buffer> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = await open(join(this.outputs, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(
      () => undefined,
    );
    if (file === undefined) {
      throw new CommandFailure(`it made no ${name}`, '');
    }
    try {
      const facts = await file.stat();
      if (!facts.isFile() || facts.size > mostBytes) {
        throw new CommandFailure(`${name} is no file, or larger than ${mostBytes} bytes`, '');
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  /** Removes all of it. */
  async close(): Promise<void> {
    await this.#own.remove();
  }
}

/** Bytes of all files; stops counting beyond `enough`. */
async function sizeOf(folders: readonly string[], enough: number): Promise<number> {
  let size = 0;
  let files = 0;
  const waiting = [...folders];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    // What is gone meanwhile takes no room.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      files += 1;
      if (entry.isDirectory()) {
        waiting.push(path);
      } else {
        size += await stat(path).then(
          (facts) => facts.blocks * 512,
          () => 0,
        );
      }
    }
    if (size > enough || files > MOST_FILES) {
      return Number.POSITIVE_INFINITY;
    }
  }
  return size;
}
