/** What a client connection may take of time and memory. Each can be set; the reasons are for the defaults. */

export interface IngressTimeouts {
  /** From the first byte of a request to the end of its head: 408. Also how long a new connection may say nothing. */
  headMs: number;
  /** Between two pieces of a request's body: 408. */
  bodyIdleMs: number;
  /** From the first byte of a request to its last, body included: 408. 0: never. */
  requestMs: number;
  /** Between two requests of a connection. 0: one request each. */
  keepAliveIdleMs: number;
  /** From the end of a request to the head of its answer: 504. 0: never. */
  answerMs: number;
  /** Between two pieces of an answer: the connection is cut. 0: never. Event streams may be silent for hours. */
  answerIdleMs: number;
  /** From the end of a request to the end of its answer: the connection is cut. 0: never. Tunnels are no answers. */
  answerTotalMs: number;
  /** Over how long a client is watched that does not take all that is there for it. */
  slowReaderMs: number;
  /** A client that closed its half may still read (nc, old tools), or be gone. Past this it is taken for gone. */
  halfClosedMs: number;
  /** After the last answer, until the client closes too. Closing first would destroy what it has not read yet. */
  lingerMs: number;
  /** A request may go on after its answer (an upload that was refused). So long it is read, for the answer to arrive. */
  afterAnswerMs: number;
  /** While draining: how long a connection that never sent a request may still begin one. */
  drainFreshMs: number;
}

export const ingressTimeoutsDefault: Readonly<IngressTimeouts> = {
  headMs: 60_000,
  bodyIdleMs: 30_000,
  requestMs: 3_600_000,
  // Longer than the 60 s of common load balancers, so that they close first and never meet a closed connection.
  keepAliveIdleMs: 65_000,
  answerMs: 0,
  answerIdleMs: 0,
  answerTotalMs: 0,
  // At most 320 KiB are outstanding (a window and the socket's buffer): under 3 KB/s nobody reads, but holds.
  slowReaderMs: 120_000,
  halfClosedMs: 1000,
  lingerMs: 2000,
  afterAnswerMs: 10_000,
  drainFreshMs: 1000,
};

/** Bytes per second, of clients that could go faster. 0: no limit. A little now and then defeats every idle timeout. */
export interface IngressRates {
  /** Of a request's body, over `ingressLimits.requestRateMs` in which the app would have taken more: 408. */
  requestBytesMin: number;
  /** Of an answer, over `slowReaderMs` in which there was more to read: the connection is cut. */
  answerBytesMin: number;
}

export const ingressRatesDefault: Readonly<IngressRates> = { requestBytesMin: 256, answerBytesMin: 256 };

/** What clients may hold of one B cell. */
export interface IngressCaps {
  /** More are closed unanswered: each costs a few KB, and up to a window while it is slow. */
  connectionsMax: number;
  /** 0: no limit. Trusted proxies are not counted. */
  connectionsPerAddressMax: number;
  /** Held for all clients together. Beyond it those that have not read for longest are cut. */
  heldBytesMax: number;
}

export const ingressCapsDefault: Readonly<IngressCaps> = {
  connectionsMax: 50_000,
  connectionsPerAddressMax: 1024,
  heldBytesMax: 256 * 1024 * 1024,
};

export const ingressLimits = {
  /** How long a body may be slow at a stretch: a phone in a tunnel. */
  requestRateMs: 10_000,
  /** So much of `heldBytesMax` is left once those who held it have been cut: so that not each new byte cuts somebody. */
  heldShareAfterRelief: 0.9,
  /** Read and thrown away while lingering: what a refused upload still has under way. */
  lingerBytesMax: 16 * 1024 * 1024,
  /** Read of a request after its answer. */
  afterAnswerBytesMax: 16 * 1024 * 1024,
  /** How often deadlines are looked at, at least. */
  sweepMsMax: 1000,
  sweepMsMin: 10,
} as const;
