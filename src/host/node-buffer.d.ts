/**
 * Buffer methods that Node has had since its beginnings and that @types/node leaves out. They are what
 * `toString` and `write` come to after looking the encoding up; on the request path that look-up shows.
 * The pure folders have them from src/lib/pure-globals.d.ts.
 */
interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> extends Uint8Array<TArrayBuffer> {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
  utf8Write(text: string, offset?: number, length?: number): number;
}
