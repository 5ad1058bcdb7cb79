/**
 * The one global that the pure folders may use: byte strings.
 *
 * Buffer is a computation, not an effect, and its latin1 and UTF-8 conversions are several times as
 * fast as anything written in the language itself. Only what the pure folders need is declared, so
 * that everything else of Node still fails to compile there (see tsconfig.pure.json). The full
 * program (tsconfig.json) leaves this file out and takes Node's own types.
 */
type PureEncoding = "latin1" | "utf8" | "ascii" | "hex" | "base64" | "base64url";

interface Buffer extends Uint8Array<ArrayBuffer> {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
  utf8Write(text: string, offset?: number, length?: number): number;
  toString(encoding?: PureEncoding, start?: number, end?: number): string;
  copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  indexOf(value: number | string | Uint8Array, byteOffset?: number, encoding?: PureEncoding): number;
  equals(other: Uint8Array): boolean;
  readUInt8(offset?: number): number;
  readUInt16BE(offset?: number): number;
  readUInt32BE(offset?: number): number;
  writeUInt8(value: number, offset?: number): number;
  writeUInt16BE(value: number, offset?: number): number;
  writeUInt32BE(value: number, offset?: number): number;
  subarray(start?: number, end?: number): Buffer;
}

declare const Buffer: {
  from(text: string, encoding?: PureEncoding): Buffer;
  from(bytes: ArrayLike<number>): Buffer;
  from(buffer: ArrayBuffer, byteOffset?: number, length?: number): Buffer;
  alloc(size: number): Buffer;
  allocUnsafe(size: number): Buffer;
  concat(parts: readonly Uint8Array[], totalBytes?: number): Buffer;
  byteLength(text: string, encoding?: PureEncoding): number;
  isBuffer(value: unknown): value is Buffer;
};
