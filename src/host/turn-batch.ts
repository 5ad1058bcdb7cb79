/**
 * Writes once per turn of the event loop instead of once per event.
 *
 * On the request path system calls cost more than everything else together. Many sockets become readable in
 * one turn, and most of what they say goes out over few others; so whoever has something to write says so
 * here, and is asked for it in the turn's check phase, after all that could be read has been read. Nothing
 * waits for a timer: with one request in flight the check phase follows at once.
 */
export interface Flushable {
  /** Write what has been collected. Called once per `flushAfterTurn`. */
  flush(): void;
}

let waiting: Flushable[] = [];

/** `item` keeps track itself of whether it is already waiting. */
export function flushAfterTurn(item: Flushable): void {
  if (waiting.push(item) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const items = waiting;
  waiting = [];
  for (const item of items) item.flush();
}
