import { connect } from 'node:net';

/** Sends `bytes` and collects what comes until the server closes. */
export function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** A request by lines, each ended as HTTP wants it. The connection is closed after it. */
export function lines(...head: string[]): string {
  return [...head, 'Connection: close', '', ''].join('\r\n');
}
