/** multipart/form-data (RFC 7578), as HTML writes it and Fetch reads it. */

import { type Blob, bytesOf, concatenate, File } from './blob.js';
import { FormData } from './form-data.js';
import { host } from './host.js';

const LINE = '\r\n';

function escapeName(name: string): string {
  return name.replace(/\r\n|\r|\n/g, '%0D%0A').replaceAll('"', '%22');
}

function unescapeName(name: string): string {
  return name.replace(/%0D%0A/gi, LINE).replaceAll('%22', '"');
}

/** Returns the encoded form and its content type, with a boundary that is drawn at random. */
export function encodeMultipart(form: FormData): { bytes: Uint8Array; type: string } {
  const random = new Uint8Array(16);
  host.fillRandom(random);
  const boundary = `----hatchery-${random.reduce((hex, byte) => hex + byte.toString(16).padStart(2, '0'), '')}`;
  const encoder = new TextEncoder();
  const chunks: Uint8Array[] = [];
  for (const [name, value] of form) {
    let head = `--${boundary}${LINE}Content-Disposition: form-data; name="${escapeName(name)}"`;
    if (typeof value === 'string') {
      chunks.push(encoder.encode(head + LINE + LINE + value.replace(/\r\n|\r|\n/g, LINE) + LINE));
      continue;
    }
    head += `; filename="${escapeName(value.name)}"${LINE}`;
    head += `Content-Type: ${value.type || 'application/octet-stream'}${LINE}${LINE}`;
    chunks.push(encoder.encode(head), bytesOf(value as Blob), encoder.encode(LINE));
  }
  chunks.push(encoder.encode(`--${boundary}--${LINE}`));
  return { bytes: concatenate(chunks), type: `multipart/form-data; boundary=${boundary}` };
}

/** One character for each byte, so that string search finds byte offsets. */
function binaryString(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  }
  return text;
}

function parameter(header: string, name: string): string | undefined {
  return new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(header)?.[1];
}

/** Decodes a form; throws TypeError if it is malformed. */
export function decodeMultipart(bytes: Uint8Array, contentType: string): FormData {
  const found = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  const malformed = new TypeError('the body is no multipart/form-data');
  if (boundary === undefined) throw malformed;
  const form = new FormData();
  const text = binaryString(bytes);
  const decoder = new TextDecoder();
  const utf8 = (from: number, to: number): string => decoder.decode(bytes.subarray(from, to));
  const delimiter = `--${boundary}`;
  let position = text.indexOf(delimiter);
  if (position < 0) throw malformed;
  for (;;) {
    position += delimiter.length;
    if (text.startsWith('--', position)) return form;
    const headAt = text.indexOf(LINE, position) + LINE.length;
    const bodyAt = text.indexOf(LINE + LINE, headAt - LINE.length) + 2 * LINE.length;
    const end = text.indexOf(LINE + delimiter, bodyAt - LINE.length);
    if (headAt < LINE.length || bodyAt < 2 * LINE.length || end < 0) throw malformed;
    const head = utf8(headAt, bodyAt - 2 * LINE.length);
    const disposition = /^content-disposition:\s*form-data(.*)$/im.exec(head)?.[1] ?? '';
    const name = parameter(disposition, 'name');
    if (name === undefined) throw malformed;
    const filename = parameter(disposition, 'filename');
    if (filename === undefined) {
      form.append(unescapeName(name), utf8(bodyAt, end));
    } else {
      const type = /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1] ?? 'text/plain';
      const file = new File([bytes.subarray(bodyAt, end)], unescapeName(filename), { type });
      form.append(unescapeName(name), file);
    }
    position = end + LINE.length;
  }
}
