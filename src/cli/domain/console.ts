/** `hatchery domain console`: a guest's console on this terminal. */
import { StringDecoder } from 'node:string_decoder';
import type { DomainConsole, Libxl } from '../../xen/libxl.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { findDomain, withLibxl } from './toolstack.js';

/** Ctrl-], as xl and telnet have it. */
const LEAVE = 0x1d;

export function attachConsole(argument: string, terminal: Terminal): Promise<number> {
  return withLibxl(async (libxl) => {
    await showConsole(libxl, await findDomain(libxl, argument), terminal);
    return EXIT_CODES.ok.code;
  });
}

/**
 * Connects the terminal with a domain's console until Ctrl-] is typed, the domain is gone, or this
 * process is told to stop. The terminal is as it was before, whatever happens.
 *
 * @param opened is called once nothing that the guest prints is lost any more
 */
export async function showConsole(
  libxl: Libxl,
  domid: number,
  terminal: Terminal,
  opened: () => Promise<void> = async () => {},
): Promise<void> {
  const stream = await libxl.openConsole(domid);
  const { stdin } = process;
  const wasRaw = stdin.isTTY && stdin.isRaw;
  if (stdin.isTTY) {
    stdin.setRawMode(true);
  }
  terminal.note(`The console of domain ${domid}; Ctrl-] leaves it.`);
  try {
    const left = connected(stream, terminal);
    const [why] = await Promise.all([left, opened()]);
    if (terminal.json) {
      terminal.result('', { event: 'left', why });
    }
    terminal.note(`\r\nThe console was left: ${why}.`);
  } finally {
    stream.destroy();
    if (stdin.isTTY) {
      stdin.setRawMode(wasRaw);
    }
    stdin.pause();
  }
}

/** Resolves with why it ended. */
function connected(stream: DomainConsole, terminal: Terminal): Promise<string> {
  const { stdin, stdout } = process;
  const decoder = new StringDecoder('utf8');
  return new Promise((resolve, reject) => {
    const typed = (bytes: Buffer) => {
      const leave = bytes.indexOf(LEAVE);
      const before = leave < 0 ? bytes : bytes.subarray(0, leave);
      if (before.length > 0) {
        stream.write(before);
      }
      if (leave >= 0) {
        end('Ctrl-]');
      }
    };
    const stopped = () => end('a signal');
    const end = (why: string) => {
      stdin.off('data', typed);
      process.off('SIGTERM', stopped);
      process.off('SIGINT', stopped);
      resolve(why);
    };
    if (terminal.json) {
      stream.on('data', (bytes: Buffer) => {
        terminal.result('', { event: 'output', text: decoder.write(bytes) });
      });
    } else {
      stream.pipe(stdout, { end: false });
    }
    stream.once('end', () => end('the domain is gone'));
    stream.once('error', reject);
    process.once('SIGTERM', stopped);
    process.once('SIGINT', stopped);
    stdin.on('data', typed);
  });
}
