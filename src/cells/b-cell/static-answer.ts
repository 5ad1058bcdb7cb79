/**
 * Answers a request with a file from a folder of the DNA, without a drone; or passes it on to the app where there is none.
 *
 * The file is read as fast as the client takes it: a piece at a time, two under way. Its length is promised when it is
 * opened: what is appended while it is read is not sent, and a file that was cut off meanwhile ends the answer visibly.
 */
import type { FileHandle } from "node:fs/promises";
import { chooseCoding, varied, type ContentCoding } from "../../http/content-coding.ts";
import { select } from "../../http/conditional.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import { readStaticPath, segmentsBelow, type StaticPath } from "../../http/static-path.ts";
import type { Dna } from "../../dna/dna.ts";
import type { ClientSide } from "./carriage.ts";
import type { Carry, Conveyance } from "./conveyance.ts";
import { StaticFolder, type OpenFile } from "./static-folder.ts";

export const staticLimits = {
  /** Files open at a time in one B cell. Descriptors are also what connections are made of. */
  filesOpenMax: 512,
  pieceBytes: 64 * 1024,
  /** Read and not taken by the client. */
  outBytesMax: 128 * 1024,
} as const;

type FolderDna = Dna["http"]["static"][number];

/** All folders of a DNA, as a B cell serves them. */
export class StaticSite {
  readonly #folders: ReadonlyArray<{ dna: FolderDna; folder: StaticFolder }>;
  readonly contentTypeOf: (name: string) => string;
  filesOpen = 0;

  constructor(folders: readonly FolderDna[], contentTypeOf: (name: string) => string) {
    const byLength = [...folders].sort((a, b) => b.at.length - a.at.length);
    this.#folders = byLength.map((dna) => ({ dna, folder: new StaticFolder(dna.folder, dna) }));
    this.contentTypeOf = contentTypeOf;
  }

  /** What answers the request, if it is for one of the folders. */
  answer(request: ExchangeRequest, client: ClientSide, carry: Carry): Conveyance | null {
    const { method, target, hasBody, upgrade } = request;
    if ((method !== "GET" && method !== "HEAD") || hasBody || upgrade) return null;
    const path = readStaticPath(target);
    if (path === null) return null;
    for (const { dna, folder } of this.#folders) {
      const names = segmentsBelow(path, dna.at);
      if (names !== null) return new StaticAnswer({ site: this, dna, folder, path, names, request, client, carry });
    }
    return null;
  }
}

interface Wanted {
  site: StaticSite;
  dna: FolderDna;
  folder: StaticFolder;
  path: StaticPath;
  /** Below the folder. */
  names: readonly string[];
  request: ExchangeRequest;
  client: ClientSide;
  carry: Carry;
}

interface Found {
  file: OpenFile;
  /** Of the file that was asked for, without the ending of a compressed one. */
  name: string;
  coding: ContentCoding | null;
}

type Search = Found | "missing" | "busy" | "add-slash";

class StaticAnswer implements Conveyance {
  readonly #wanted: Wanted;
  /** The app's, where there is no file. */
  #instead: Conveyance | null = null;
  #handle: FileHandle | null = null;
  #isOver = false;
  #isReading = false;
  #position = 0;
  #bytesLeft = 0;
  #outBytes = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  start(): void {
    void this.#begin();
  }

  sendBody(chunk: Buffer): boolean {
    return this.#instead?.sendBody(chunk) ?? true;
  }

  sendEnd(trailers: HeaderList): void {
    this.#instead?.sendEnd(trailers);
  }

  consumed(bytes: number): void {
    if (this.#instead !== null) return this.#instead.consumed(bytes);
    this.#outBytes -= bytes;
    void this.#read();
  }

  giveUp(): void {
    this.#instead?.giveUp();
    this.#finish();
  }

  cancel(reason: string): void {
    this.#instead?.cancel(reason);
    this.#finish();
  }

  async #begin(): Promise<void> {
    const { site, client } = this.#wanted;
    if (site.filesOpen >= staticLimits.filesOpenMax) return client.fail("CELLWS_HTTP_OVERLOADED", 1);
    site.filesOpen += 1;
    const search = await this.#search().catch((): Search => "missing");
    if (typeof search === "string") site.filesOpen -= 1;
    else this.#handle = search.file.handle;
    // The client may have gone while the disk was slow.
    if (this.#isOver) return this.#close();
    if (search === "missing") return this.#passOn();
    if (search === "busy") return client.fail("CELLWS_HTTP_OVERLOADED", 1);
    if (search === "add-slash") return this.#addSlash();
    this.#answer(search);
  }

  async #search(): Promise<Search> {
    const { dna, folder, path, names } = this.#wanted;
    const isIndex = path.isFolder || names.length === 0;
    const wanted = isIndex ? (dna.index === null ? null : [...names, dna.index]) : names;
    if (wanted === null) return "missing";
    const found = await this.#open(wanted);
    if (found !== "folder") return found;
    if (isIndex || dna.index === null) return "missing";
    const index = await folder.open([...names, dna.index]);
    if (index.kind !== "file") return index.kind === "busy" ? "busy" : "missing";
    await index.handle.close();
    return "add-slash";
  }

  /** Compressed, if there is a file of that kind beside it and the client wants it. */
  async #open(names: readonly string[]): Promise<Found | "missing" | "busy" | "folder"> {
    const { dna, folder, request } = this.#wanted;
    const name = names.at(-1) ?? "";
    let offered: ContentCoding[] = dna.precompressed ? ["br", "zstd", "gzip"] : [];
    for (let coding = chooseCoding(request.headers, offered); coding !== null;) {
      const sibling = await folder.open([...names.slice(0, -1), name + endings[coding]]);
      if (sibling.kind === "file") return { file: sibling, name, coding };
      offered = offered.filter((other) => other !== coding);
      coding = chooseCoding(request.headers, offered);
    }
    const file = await folder.open(names);
    return file.kind === "file" ? { file, name, coding: null } : file.kind;
  }

  #passOn(): void {
    const { dna, client, carry } = this.#wanted;
    if (!dna.fallThrough) return client.fail("CELLWS_HTTP_FILE_NOT_FOUND", null);
    this.#instead = carry(client);
    this.#instead.start();
  }

  /** So that relative links of the index lead where they should. */
  #addSlash(): void {
    const { request } = this.#wanted;
    const [path = "", ...query] = request.target.replace(/^https?:\/\/[^/?]*/i, "").split("?");
    const location = `${path}/${query.length === 0 ? "" : `?${query.join("?")}`}`;
    this.#say({ status: 301, reason: "Moved Permanently", headers: ["Location", location, "Content-Length", "0"] });
  }

  #answer({ file, name, coding }: Found): void {
    const { site, dna, request } = this.#wanted;
    const etag = `"${file.version}${coding === null ? "" : `-${coding}`}"`;
    const lastModifiedMs = Math.floor(file.modifiedMs / 1000) * 1000;
    const selection = select(request, { etag, lastModifiedMs, bytes: file.bytes });
    const validators = ["ETag", etag, "Last-Modified", new Date(lastModifiedMs).toUTCString()];
    const common = [...validators, "Cache-Control", dna.cacheControl];
    const encoding = coding === null ? [] : ["Content-Encoding", coding];
    const type = ["Content-Type", site.contentTypeOf(name), "X-Content-Type-Options", "nosniff"];
    const content = [...common, ...type, "Accept-Ranges", "bytes", ...encoding];
    const vary = (head: ResponseHead): ResponseHead => (dna.precompressed ? varied(head) : head);
    switch (selection.kind) {
      case "whole":
        this.#send(vary({ status: 200, reason: "OK", headers: content }), 0, file.bytes);
        break;
      case "part": {
        const { from, to } = selection;
        const headers = [...content, "Content-Range", `bytes ${from}-${to}/${file.bytes}`];
        this.#send(vary({ status: 206, reason: "Partial Content", headers }), from, to - from + 1);
        break;
      }
      case "not-modified":
        this.#say(vary({ status: 304, reason: "Not Modified", headers: common }));
        break;
      case "precondition-failed":
        this.#say({ status: 412, reason: "Precondition Failed", headers: [...validators, "Content-Length", "0"] });
        break;
      case "unsatisfiable": {
        const headers = ["Content-Range", `bytes */${file.bytes}`, "Content-Length", "0"];
        this.#say({ status: 416, reason: "Range Not Satisfiable", headers });
        break;
      }
    }
  }

  /** A head alone. */
  #say(head: ResponseHead): void {
    const { client } = this.#wanted;
    this.#finish();
    client.respond(head);
    client.end([]);
  }

  #send(head: ResponseHead, position: number, bytes: number): void {
    const { client, request } = this.#wanted;
    const full = { ...head, headers: [...head.headers, "Content-Length", String(bytes)] };
    if (request.method === "HEAD" || bytes === 0) return this.#say(full);
    this.#position = position;
    this.#bytesLeft = bytes;
    client.respond(full);
    void this.#read();
  }

  async #read(): Promise<void> {
    const { client } = this.#wanted;
    if (this.#isReading) return;
    this.#isReading = true;
    while (!this.#isOver && this.#handle !== null && this.#outBytes < staticLimits.outBytesMax) {
      const piece = await readPiece(this.#handle, this.#position, Math.min(this.#bytesLeft, staticLimits.pieceBytes));
      // oxlint-disable-next-line typescript/no-unnecessary-condition -- cancelled while it was read
      if (this.#isOver) break;
      if (piece === null) {
        this.#finish();
        client.fail("CELLWS_HTTP_APP_RESPONSE", null);
        break;
      }
      this.#position += piece.length;
      this.#bytesLeft -= piece.length;
      this.#outBytes += piece.length;
      client.body(piece);
      if (this.#bytesLeft > 0) continue;
      this.#finish();
      client.end([]);
    }
    this.#isReading = false;
    if (this.#isOver) this.#close();
  }

  #finish(): void {
    this.#isOver = true;
    if (!this.#isReading) this.#close();
  }

  #close(): void {
    const handle = this.#handle;
    if (handle === null) return;
    this.#handle = null;
    this.#wanted.site.filesOpen -= 1;
    // Nothing was written; what could go wrong now is nobody's loss.
    void handle.close().catch(() => undefined);
  }
}

const endings: Record<ContentCoding, string> = { br: ".br", zstd: ".zst", gzip: ".gz" };

/** Null: the file has become shorter, or cannot be read. */
async function readPiece(handle: FileHandle, position: number, bytes: number): Promise<Buffer | null> {
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(bytes), 0, bytes, position);
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
  } catch {
    return null;
  }
}
