/**
 * The handshake of two cells of one organism (wire/kin.ts): each shows its record and proves that it holds the key.
 * Ends with a paused socket and the bytes that already came behind the last line, for a kin link or an axon to go on with.
 */
import crypto from "node:crypto";
import type { Socket } from "node:net";
import type { CellBody, OrganismRecord } from "../core/record.ts";
import type { LinkPurpose } from "../wire/control.ts";
import type { Hello, Read } from "../wire/kin.ts";
import {
  handshakeLineBytesMax,
  kinProtocolVersion,
  proofPayload,
  readHello,
  readProof,
  readWelcome,
} from "../wire/kin.ts";
import { isSignedBy, sign } from "./identity.ts";
import { LineReader } from "./line-reader.ts";

/** What a cell needs to show who it is and to judge who the other is. */
export interface Credentials {
  readonly organism: string;
  readonly id: string;
  readonly privateKey: crypto.KeyObject;
  /** Our newest record. */
  record(): OrganismRecord<CellBody>;
  /** The births of our ancestors, for one who has not heard of our mother. */
  ancestry(): readonly OrganismRecord[];
  /** Why the other's record is not to be believed, or null. */
  whyNotMet(record: OrganismRecord, ancestry: readonly OrganismRecord[]): string | null;
}

export type Met =
  | { readonly ok: true; readonly socket: Socket; readonly rest: Buffer; readonly record: OrganismRecord<CellBody> }
  | { readonly ok: false; readonly reason: string };

/** A cell on the same machine answers within milliseconds; one that is busy with a garbage collection, within this. */
const handshakeMsMax = 2_000;

/** The connector's side, on a fresh socket. */
export async function greet(socket: Socket, purpose: LinkPurpose, own: Credentials): Promise<Met> {
  const talk = new Talk(socket);
  const nonce = freshNonce();
  const { organism, id } = own;
  talk.say({
    cellws: kinProtocolVersion,
    purpose,
    organism,
    id,
    nonce,
    record: own.record(),
    ancestry: own.ancestry(),
  });
  const welcome = await talk.hear(readWelcome);
  if (!welcome.ok) return talk.refuse(welcome.reason);
  const { record, ancestry, proof } = welcome.value;
  const wrong = whyNotThem(
    own,
    { record, ancestry },
    welcome.value.id,
    proofPayload(purpose, organism, welcome.value.id, id, nonce),
    proof,
  );
  if (wrong !== null) return talk.refuse(wrong);
  const payload = proofPayload(purpose, organism, id, welcome.value.id, welcome.value.nonce);
  talk.say({ proof: sign(payload, own.privateKey) });
  return talk.done(record);
}

/**
 * For a kin link the connector has not been taken in before it hears the first word: the acceptor judges last, tells what it holds
 * if it likes us, and closes if it does not. A link that was taken for open until it closed would be sought anew at once, by
 * someone who is accused a thousand times a second.
 */
export async function beTakenIn(met: Met): Promise<Met> {
  if (!met.ok || met.rest.length > 0) return met;
  const { socket } = met;
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  const heard = (word: Buffer): void => resolve(word);
  const refused = (): void => resolve(null);
  // Who is slow to speak has not refused.
  const timer = setTimeout(() => resolve(met.rest), handshakeMsMax);
  socket.on("data", heard).on("end", refused).on("close", refused);
  if (socket.destroyed) refused();
  else socket.resume();
  const rest = await promise;
  clearTimeout(timer);
  socket.off("data", heard).off("end", refused).off("close", refused).pause();
  if (rest !== null) return { ...met, rest };
  socket.destroy();
  return { ok: false, reason: "it was asked, and did not take us in" };
}

/** The acceptor's side; `line` is the first line, already read, and `rest` what came with it. */
export async function receive(
  socket: Socket,
  line: string,
  rest: Buffer,
  own: Credentials,
): Promise<Met & { purpose?: LinkPurpose }> {
  const talk = new Talk(socket, rest);
  const hello = readHello(line);
  if (!hello.ok) return talk.refuse(hello.reason);
  const { purpose, organism, id, nonce, record, ancestry } = hello.value;
  if (organism !== own.organism) return talk.refuse("of another organism");
  const ownNonce = freshNonce();
  const proof = sign(proofPayload(purpose, organism, own.id, id, nonce), own.privateKey);
  talk.say({
    cellws: kinProtocolVersion,
    id: own.id,
    nonce: ownNonce,
    record: own.record(),
    ancestry: own.ancestry(),
    proof,
  });
  const answer = await talk.hear(readProof);
  if (!answer.ok) return talk.refuse(answer.reason);
  const payload = proofPayload(purpose, organism, id, own.id, ownNonce);
  const wrong = whyNotThem(own, { record, ancestry }, id, payload, answer.value.proof);
  return wrong === null ? { ...talk.done(record), purpose } : talk.refuse(wrong);
}

function whyNotThem(
  own: Credentials,
  { record, ancestry }: Pick<Hello, "record" | "ancestry">,
  id: string,
  payload: string,
  proof: string,
): string | null {
  if (record.body.id !== id) return "shows another cell's record";
  const wrong = own.whyNotMet(record, ancestry);
  if (wrong !== null) return wrong;
  return isSignedBy(payload, proof, record.body.publicKey) ? null : "does not hold its key";
}

/**
 * One line at a time over a socket, with one deadline for the whole. Nothing beyond the line that is asked for is taken
 * from the socket: what a peer sends on the heels of its last line is for the link, and need not be lines.
 */
class Talk {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #reader: LineReader | null = null;
  /** What came with the last line. */
  #rest: Buffer;
  #waiting: ((line: string | null) => void) | null = null;
  #ended: string | null = null;

  constructor(socket: Socket, rest: Buffer = Buffer.alloc(0)) {
    this.#socket = socket;
    this.#rest = rest;
    this.#timer = setTimeout(() => this.#end("no answer in time"), handshakeMsMax);
    socket.on("error", this.#failed).on("close", this.#closed);
  }

  say(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  async hear<T>(readLine: (line: string) => Read<T>): Promise<Read<T>> {
    const line = this.#ended === null ? await this.#next() : null;
    return line === null ? { ok: false, reason: this.#ended ?? "closed" } : readLine(line);
  }

  done(record: OrganismRecord<CellBody>): Met {
    return { ok: true, socket: this.#socket, rest: this.#release(), record };
  }

  refuse(reason: string): Met {
    this.#release();
    this.#socket.destroy();
    return { ok: false, reason };
  }

  #release(): Buffer {
    clearTimeout(this.#timer);
    this.#socket.off("error", this.#failed).off("close", this.#closed);
    // Between here and the next owner an error must not be unhandled; the owner sees `close`.
    this.#socket.on("error", ignore);
    return this.#rest;
  }

  #next(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      const tooLong = (): void => this.#end("a line too long");
      this.#reader = new LineReader(this.#socket, handshakeLineBytesMax, this.#take, tooLong);
      if (this.#rest.length > 0) this.#socket.unshift(this.#rest);
      this.#socket.resume();
    });
  }

  readonly #take = (line: string): void => {
    this.#stopReading();
    this.#waiting?.(line);
    this.#waiting = null;
  };

  readonly #failed = (error: Error): void => this.#end(error.message);
  readonly #closed = (): void => this.#end("closed");

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#stopReading();
    this.#waiting?.(null);
    this.#waiting = null;
  }

  #stopReading(): void {
    this.#rest = this.#reader?.stop() ?? this.#rest;
    this.#reader = null;
  }
}

const ignore = (): void => undefined;

function freshNonce(): string {
  return crypto.randomBytes(16).toString("base64url");
}
