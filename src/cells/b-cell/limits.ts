/** What a client connection may take of time and memory. Each can be set; the reasons are for the defaults. */

export interface IngressTimeouts {
  /** From the first byte of a request to the end of its head: 408. Also how long a new connection may say nothing. */
  headMs: number;
  /** Between two pieces of a request's body: 408. */
  bodyIdleMs: number;
  /** Between two requests of a connection. 0: one request each. */
  keepAliveIdleMs: number;
  /** From the end of a request to the head of its answer: 504. 0: never. */
  answerMs: number;
  /** Between two pieces of an answer: the connection is cut. 0: never. Event streams may be silent for hours. */
  answerIdleMs: number;
  /** How long a client may take none of what was sent to it. */
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
  // Longer than the 60 s of common load balancers, so that they close first and never meet a closed connection.
  keepAliveIdleMs: 65_000,
  answerMs: 0,
  answerIdleMs: 0,
  // At most 320 KiB are outstanding (a window and the socket's buffer): under 3 KB/s nobody reads, but holds.
  slowReaderMs: 120_000,
  halfClosedMs: 1000,
  lingerMs: 2000,
  afterAnswerMs: 10_000,
  drainFreshMs: 1000,
};

export const ingressLimits = {
  /** Connections of one B cell. More are closed unanswered: each costs a few KB, and up to a window while it is slow. */
  connectionsMax: 50_000,
  /** Read and thrown away while lingering: what a refused upload still has under way. */
  lingerBytesMax: 16 * 1024 * 1024,
  /** Read of a request after its answer. */
  afterAnswerBytesMax: 16 * 1024 * 1024,
  /** How often deadlines are looked at, at least. */
  sweepMsMax: 1000,
  sweepMsMin: 10,
} as const;
