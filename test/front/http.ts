import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A raw connection. What comes is collected. */
export class Client {
  readonly socket: Socket;
  #text = '';
  #error: NodeJS.ErrnoException | undefined;
  readonly closed: Promise<void>;

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (chunk) => {
      this.#text += chunk;
    });
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    this.socket.on('end', () => this.socket.end());
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  static async open(url: string): Promise<Client> {
    const client = new Client(url);
    await once(client.socket, 'connect');
    return client;
  }

  /** What has come so far, each byte a character. */
  get text(): string {
    return this.#text;
  }

  /** How the connection broke. */
  get error(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  /** @param bytes each character a byte. */
  send(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Resolves when what has come matches. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      if (this.socket.destroyed) {
        throw new Error(`closed after ${JSON.stringify(this.#text)}`);
      }
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
    return this.#text;
  }
}

/** Sends `bytes` and collects what comes until the server closes. */
export async function exchange(url: string, bytes: string): Promise<string> {
  const client = await Client.open(url);
  client.send(bytes);
  await client.closed;
  if (client.error !== undefined) {
    throw client.error;
  }
  return client.text;
}

/** A request by lines, each ended as HTTP wants it. The connection is closed after it. */
export function lines(...head: string[]): string {
  return [...head, 'Connection: close', '', ''].join('\r\n');
}

/** What is between the first brace and the last. */
export function jsonOf(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
}

/** The statuses of all responses, in their order. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
