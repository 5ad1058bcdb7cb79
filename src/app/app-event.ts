/**
 * What hosting has to say while all goes on: lines for the drone's log. What ends the hosting is an AppFailure
 * (app-failure.ts); what the app itself prints is not seen here.
 */

export type AppEventCode =
  /** Which organism listener answers for a server of the app. */
  | "APP_LISTENS"
  /** A server that the app opened, and that no request will ever reach. */
  | "APP_UNREACHABLE"
  /** The app opened a socket of its own (a Unix socket, a plain TCP server): each drone opens one. */
  | "APP_REAL_LISTEN"
  /** A server lost its organism listener to another that fits better, or was closed. */
  | "APP_RELINQUISHED"
  /** Something in the app's start cannot be done the same way in a drone. */
  | "APP_START_DIFFERS"
  /** Loading goes on, and nothing is listening yet. */
  | "APP_STILL_LOADING"
  /** A fetch handler threw, or returned what is no Response. The client got 500. */
  | "APP_HANDLER_FAILED"
  /** The app wrote to the connection below HTTP, which is not there in a drone. */
  | "APP_RAW_SOCKET"
  /** The app finished no longer being able to answer: a request came and no server of it was open. */
  | "APP_NOT_ANSWERING";

export interface AppEvent {
  level: "info" | "warn" | "error";
  code: AppEventCode;
  /** One sentence for a person. */
  message: string;
  /** With an error: its stack, as it was thrown. */
  stack?: string;
}

export type OnAppEvent = (event: AppEvent) => void;
