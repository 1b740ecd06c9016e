import type { BodyScan, ScanResult } from './model-scan.ts';

/**
 * Finds the parts `model` and `stream` of a form (RFC 7578) without keeping the rest: beside them there are megabytes of
 * sound. What the other parts hold is for the runner to judge.
 */

const HEADERS_END = Buffer.from('\r\n\r\n');
const LINE_BREAK = Buffer.from('\r\n');
/** More than any part's headers need. */
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_VALUE_BYTES = 1024;

const boundaryPattern = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;]+))/i;
const namePattern = /^content-disposition:.*;\s*name=(?:"([^"]*)"|([^\s;]+))/im;

/** Scans a form of the given content type. */
export class FormScan implements BodyScan {
  readonly #delimiter: Buffer | null;
  /** What has been received and not been understood; its beginning may be a part of a delimiter. */
  #rest: Buffer = LINE_BREAK;
  #reading: 'content' | 'headers' | 'nothing' = 'content';
  #part: string | null = null;
  /** The content of the part being read, if it is of interest and not too long. */
  #content: Buffer[] | null = null;
  #contentBytes = 0;
  #invalid: string | null = null;
  #model: string | null | undefined;
  #stream = false;

  constructor(contentType: string | undefined) {
    const match = boundaryPattern.exec(contentType ?? '');
    const boundary = match?.[1] ?? match?.[2];
    this.#delimiter = boundary === undefined ? null : Buffer.from(`\r\n--${boundary}`);
    if (boundary === undefined) this.#invalid = 'its content type is not multipart/form-data with a boundary';
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#invalid === null && this.#readOn());
  }

  result(): ScanResult {
    const reason = this.#invalid ?? (this.#reading === 'nothing' ? null : 'it ends too early');
    if (reason !== null) return { kind: 'invalid', reason };
    return { kind: 'object', model: this.#model, stream: this.#stream };
  }

  /** Reads a part's headers, or its content; false when that needs more bytes. */
  #readOn(): boolean {
    switch (this.#reading) {
      case 'content':
        return this.#readContent();
      case 'headers':
        return this.#readHeaders();
      case 'nothing':
        this.#rest = LINE_BREAK;
        return false;
    }
  }

  #readContent(): boolean {
    const delimiter = this.#delimiter;
    if (!delimiter) return false;
    const at = this.#rest.indexOf(delimiter);
    if (at === -1) {
      // A delimiter may have begun at the end of what is here.
      const known = Math.max(0, this.#rest.length - delimiter.length + 1);
      this.#keep(this.#rest.subarray(0, known));
      this.#rest = this.#rest.subarray(known);
      return false;
    }
    // Two bytes after the delimiter tell whether this was the last part.
    const end = at + delimiter.length;
    if (this.#rest.length < end + 2) return false;
    this.#keep(this.#rest.subarray(0, at));
    this.#endPart();
    this.#reading = this.#rest.toString('latin1', end, end + 2) === '--' ? 'nothing' : 'headers';
    this.#rest = this.#rest.subarray(end);
    return true;
  }

  #readHeaders(): boolean {
    const end = this.#rest.indexOf(HEADERS_END);
    if (end === -1 || end > MAX_HEADER_BYTES) {
      if (this.#rest.length > MAX_HEADER_BYTES)
        this.#invalid = `a part has more than ${MAX_HEADER_BYTES} bytes of headers`;
      return false;
    }
    const match = namePattern.exec(this.#rest.toString('utf8', 0, end));
    this.#part = match?.[1] ?? match?.[2] ?? null;
    this.#content = this.#part === 'model' || this.#part === 'stream' ? [] : null;
    this.#contentBytes = 0;
    this.#reading = 'content';
    this.#rest = this.#rest.subarray(end + HEADERS_END.length);
    return true;
  }

  #keep(bytes: Buffer): void {
    if (this.#content === null) return;
    this.#contentBytes += bytes.length;
    if (this.#contentBytes > MAX_VALUE_BYTES) this.#content = null;
    else this.#content.push(bytes);
  }

  #endPart(): void {
    const value = this.#content && Buffer.concat(this.#content).toString('utf8');
    if (this.#part === 'model') this.#model = value;
    if (this.#part === 'stream') this.#stream = value === 'true';
    this.#part = null;
    this.#content = null;
  }
}
