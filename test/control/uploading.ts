/** Sends images as a client of the API does, right or wrong. */
import { readdirSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { digestOf, type WholeImage } from '../../src/image/store/layout.js';
import type { Answer, UnderTest } from './control-under-test.js';

type Server = Pick<UnderTest, 'url' | 'token' | 'ask'>;

/** Begins to send a blob; the caller writes it. */
export function sendBlob(
  { url, token }: Pick<UnderTest, 'url' | 'token'>,
  digest: string,
  headers: Readonly<Record<string, string | number>> = {},
): ClientRequest {
  return request(`${url}/v1/blobs/${digest}`, {
    method: 'PUT',
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      ...headers,
    },
  });
}

/** What comes in answer, even before all was sent. */
export function answerTo(sent: ClientRequest): Promise<Omit<Answer, 'headers'>> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      // What is written after the answer fails, as it may.
      sent.off('error', reject).on('error', () => {});
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text === '' ? '' : JSON.parse(text) }),
      );
      response.once('error', reject);
    });
  });
}

export function putBlob(
  server: Pick<UnderTest, 'url' | 'token'>,
  bytes: Uint8Array,
  digest: string = digestOf(bytes),
): Promise<Omit<Answer, 'headers'>> {
  const sent = sendBlob(server, digest, { 'content-length': bytes.length });
  sent.end(bytes);
  return answerTo(sent);
}

export function putManifest(
  { ask }: Pick<UnderTest, 'ask'>,
  manifest: Uint8Array | string,
  digest: string = digestOf(manifest),
): Promise<Answer> {
  const text = Buffer.from(manifest as Uint8Array).toString();
  return ask('PUT', `/v1/images/${digest}`, { manifest: text });
}

/** All of it. */
export async function putImage(server: Server, image: WholeImage): Promise<Answer> {
  await putBlob(server, image.config);
  await putBlob(server, image.elf);
  return putManifest(server, image.manifest);
}

/** Files that the server keeps of uploads. */
export function keptFiles(data: string): string[] {
  const list = (folder: string) => {
    try {
      return readdirSync(`${data}/uploads/${folder}`).map((name) => `${folder}/${name}`);
    } catch {
      return [];
    }
  };
  return [...list('blobs/sha256'), ...list('incoming')];
}
