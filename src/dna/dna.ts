/**
 * The DNA's types: as users write it (DnaInput) and as every cell carries it (Dna).
 *
 * Generated from schema.ts by scripts/dna-reference.ts: change it there. Types only, so that a daughter,
 * which is born with a resolved DNA as JSON, needs neither the schema nor its library.
 *
 * A Dna is plain JSON, deeply frozen. Functions never live in it: where the DNA file has some, it has references to
 * them (functions.ts), and the cells that call them read the file.
 */
import type { FunctionReference, ImmuneFilter, ImmuneReaction } from "./functions.ts";

/** Resolved: every key is there, every path is absolute, and null stands for what was not asked for. */
export interface Dna {
  /**
   * What the organism is called in `cellws ps --name`, and its run folder. Short, because it is part
   * of socket paths, which the kernel caps at about 100 bytes. 1 to 32 lower-case letters, digits
   * and dashes, beginning with a letter or digit. Default: the package's name, else the folder's.
   */
  readonly name: string;
  /**
   * The app: a file that calls `listen`, or exports `fetch`, or a `(request, response)` function; or
   * a folder with a package.json or index file. The command line's `app` goes before it. The path of
   * a JavaScript or TypeScript file, or of a folder that holds one. Default: package.json's `main`.
   */
  readonly app: string;
  /**
   * The working directory that the app sees. The path of a folder. Default: the folder of the DNA
   * file, or where the command was run.
   */
  readonly cwd: string;
  /**
   * Environment variables for the app. They go before the inherited environment, which goes before
   * `envFile`. Names of letters, digits and underscores (not beginning with CELLWS_), with strings
   * as values. Default: {}.
   */
  readonly env: Readonly<Record<string, string>>;
  /**
   * A file of KEY=value lines, read afresh each time that a drone is born, so that no cell lives on
   * with a stale value. The path of a file, or null for none. Default: null.
   */
  readonly envFile: string | null;
  /**
   * Where the organism listens. The app's own `listen(port)` is answered by the organism and opens
   * nothing. Each cell but the drones inherits each of these sockets, so there are few. A list of 1
   * to 16 objects such as { port: 8080, host: "127.0.0.1" }. Default: one of them, with the defaults
   * below.
   */
  readonly listen: ReadonlyArray<{
    /**
     * 0: any free one. Below 1024 the system may ask for privileges. A port number from 0 to 65535.
     * Default: 8080.
     */
    readonly port: number;
    /**
     * The address to listen on. By default nothing is reachable from other machines; `0.0.0.0` is
     * every IPv4 address, `::` every address, and one of them is needed in a container. An IP address
     * or a host name, such as "127.0.0.1", "::" or "localhost". Default: "127.0.0.1".
     */
    readonly host: string;
    /**
     * HTTPS with this key and certificate. Both files are looked at again every second; what replaces
     * them is used for new connections, and old ones go on. An object { key, cert } of paths of PEM
     * files, or null for plain HTTP.
     */
    readonly tls: {
      /** The private key: a PEM file without passphrase. The path of a file. */
      readonly key: string;
      /**
       * The certificate, and after it the chain up to the root: a PEM file. Used where the client names
       * no host, or one that no certificate is for. The path of a file.
       */
      readonly cert: string;
      /**
       * Further certificates, chosen by the host that the client names (SNI). Where several fit, the
       * exact name goes before the wildcard, then the earlier before the later. A list of objects { key,
       * cert }. Default: [].
       */
      readonly also: ReadonlyArray<{
        /** As above. The path of a file. */
        readonly key: string;
        /** As above. Its own names (wildcards too) say for which hosts it is used. The path of a file. */
        readonly cert: string;
      }>;
      /**
       * Older clients are turned away. Versions before 1.2 are broken and cannot be had. Default:
       * "TLSv1.2".
       */
      readonly minVersion: "TLSv1.2" | "TLSv1.3";
      /** Offer HTTP/2 (ALPN). The app sees HTTP/1.1 either way. Default: true. */
      readonly http2: boolean;
      /** Telling browsers to come by HTTPS only (Strict-Transport-Security). */
      readonly hsts: {
        /**
         * How long a browser keeps to HTTPS after each answer. Off by default, because it cannot be taken
         * back: try 300 first, then 31_536_000 (a year). An app's own header goes before it. A whole
         * number of seconds from 0 to 315_360_000. 0: the header is not sent. Default: 0.
         */
        readonly maxAgeSeconds: number;
        /** For all subdomains, too: only when each of them has HTTPS. Default: false. */
        readonly includeSubDomains: boolean;
        /**
         * Agrees to be built into browsers, which takes months to undo. Needs includeSubDomains and a
         * year. Default: false.
         */
        readonly preload: boolean;
      };
    } | null;
    /**
     * Answers each plain request with a redirect to HTTPS at this port, except for
     * `/.well-known/acme-challenge/`, which certificate authorities ask for without TLS. With 443 the
     * URL names no port. The port of HTTPS as clients see it, from 1 to 65535, or null for no
     * redirect. Default: null.
     */
    readonly httpsRedirectPort: number | null;
  }>;
  /** How many cells of each class there may be. */
  readonly cells: {
    /**
     * Living daughters that one cell may have; a further birth is handed down, so that the family is a
     * tree with depth and no star around one mother. Hormones stay bounded while attenuation times
     * this is at most 1. A whole number of cells from 2 to 16. Default: 4.
     */
    readonly daughtersMax: number;
    /** Warm idle processes without a role: growth and healing begin with them. */
    readonly stem: {
      /**
       * One to answer a crash and one to answer growth at the same moment. Each costs about 60 MB, a
       * quarter of it its own. A whole number of cells from 1 to 32. Default: 2.
       */
      readonly pool: number;
    };
    /** Neurons watch load and ask for growth. */
    readonly neuron: {
      /**
       * Never fewer. One neuron, one B cell and one drone are the first majority of three. A whole
       * number of cells from 1 to 8. Default: 1.
       */
      readonly min: number;
      /**
       * Never more. The second has room to grow before a worn-out first one goes. More would not see
       * more. A whole number of cells from 1 to 8. Default: 2, or min if that is more.
       */
      readonly max: number;
    };
    /** B cells own the client connections. */
    readonly bCell: {
      /**
       * Never fewer. One neuron, one B cell and one drone are the first majority of three. A whole
       * number of cells from 1 to 256. Default: 1.
       */
      readonly min: number;
      /**
       * Never more. One B cell keeps about two busy drones fed. A whole number of cells from 1 to 256.
       * Default: half the CPUs, at least 2, or min if that is more.
       */
      readonly max: number;
    };
    /** T cells remember attackers; without marks there is nothing for them to do. */
    readonly tCell: {
      /** Never fewer. A whole number of cells from 0 to 16. Default: 0. */
      readonly min: number;
      /**
       * Never more. One to keep the statistics and one to keep them while the other is replaced. A whole
       * number of cells from 1 to 16. Default: 2, or min if that is more.
       */
      readonly max: number;
    };
    /** Drones run the app. */
    readonly drone: {
      /**
       * Never fewer. One neuron, one B cell and one drone are the first majority of three. A whole
       * number of cells from 1 to 1_024. Default: 1.
       */
      readonly min: number;
      /**
       * Never more. More busy drones than CPUs only wait for each other; but a second one is always
       * allowed, to take over while the first is replaced. A whole number of cells from 1 to 1_024.
       * Default: the CPUs, fewer where memory is short (half of it, 256 MiB a drone), at least 2, or min
       * if that is more.
       */
      readonly max: number;
    };
  };
  /** Loading the app. */
  readonly startup: {
    /**
     * How long a drone waits for the app to call `listen` or export a handler, before it counts as
     * failed. Large apps on small machines need seconds; half a minute is a hang. A whole number of ms
     * from 100 to 600_000. Default: 30_000.
     */
    readonly listenTimeoutMs: number;
  };
  /** What happens when the app fails at load or crashes. */
  readonly restarts: {
    /**
     * Wait before the first new attempt; it doubles with each failure that follows. A stumble should
     * hardly be seen. A whole number of ms from 10 to 60_000. Default: 250.
     */
    readonly backoffMsMin: number;
    /**
     * The wait never grows beyond this, so that an app heals soon after its database is back. A whole
     * number of ms from 10 to 3_600_000. Default: 30_000.
     */
    readonly backoffMsMax: number;
    /**
     * Attempts within one window, over the whole organism; beyond it each wait is the longest, until
     * the app's files change. A whole number of attempts from 1 to 1_000. Default: 10.
     */
    readonly countMax: number;
    /**
     * The window in which attempts are counted. Long enough for the doubling waits to use up the
     * budget. A whole number of ms from 1_000 to 86_400_000. Default: 300_000.
     */
    readonly windowMs: number;
  };
  /** Ending without loss. */
  readonly drain: {
    /**
     * How long `stop`, or a cell that is to die, lets requests in flight finish. Kubernetes kills
     * after 30 s; this leaves it 5 to spare. (Docker gives 10 s unless told otherwise.) A whole number
     * of ms from 0 to 3_600_000. 0: requests in flight are cut off at once. Default: 25_000.
     */
    readonly msMax: number;
  };
  /** Limits of the request path. */
  readonly http: {
    /**
     * Request line and headers together; beyond it the answer is 431. As in Node itself. A whole
     * number of bytes from 1_024 to 131_072. Default: 16_384.
     */
    readonly headBytesMax: number;
    /**
     * Request body; beyond it the answer is 413. Bodies stream, so this guards the app and its disk,
     * not the organism's memory. A whole number of bytes from 0 to 1_099_511_627_776. 0: requests have
     * no body. Default: 104_857_600.
     */
    readonly bodyBytesMax: number;
    /** How long a client may take. What is too slow is closed, so that slow clients hold nothing. */
    readonly timeouts: {
      /**
       * From the first byte of a request to the end of its head; beyond it the answer is 408. Ample for
       * a phone on a bad line, short for a slowloris. A whole number of ms from 100 to 600_000. Default:
       * 15_000.
       */
      readonly headMs: number;
      /**
       * Between two pieces of a request body; beyond it the answer is 408. A whole number of ms from 100
       * to 3_600_000. Default: 30_000.
       */
      readonly bodyIdleMs: number;
      /**
       * From the first byte of a request to its last, body included; beyond it the answer is 408. Enough
       * for 2 GB at 5 Mbit/s; http.rates finds who only pretends to send. A whole number of ms from 0 to
       * 86_400_000. 0: never. Default: 3_600_000.
       */
      readonly requestMs: number;
      /**
       * Between two requests on one connection. Longer than the 60 s of common load balancers, so that
       * they, and not we, close first: else their next request meets a closed connection. A whole number
       * of ms from 0 to 3_600_000. 0: each connection serves one request. Default: 65_000.
       */
      readonly keepAliveIdleMs: number;
      /**
       * From the end of a request to the first byte of the app's answer; beyond it the answer is 504. A
       * whole number of ms from 0 to 86_400_000. 0: never. Default: 60_000.
       */
      readonly answerMs: number;
      /**
       * Between two pieces of the app's answer; beyond it the connection is cut. Never by default: event
       * streams may be silent for hours. A whole number of ms from 0 to 86_400_000. 0: never. Default:
       * 0.
       */
      readonly answerIdleMs: number;
      /**
       * From the end of a request to the end of its answer; beyond it the connection is cut. Never by
       * default: downloads and event streams take as long as they take. Tunnels (WebSockets) are not
       * answers. A whole number of ms from 0 to 604_800_000. 0: never. Default: 0.
       */
      readonly answerTotalMs: number;
      /**
       * Over how long http.rates.answerBytesMin is judged. Long, because the kernel tells of what a
       * client has read only in large steps. A whole number of ms from 1_000 to 3_600_000. Default:
       * 120_000.
       */
      readonly slowReaderMs: number;
    };
    /** Compressing the app's answers and static files, where the client says that it can read it. */
    readonly compression: {
      /**
       * Off by default: an answer that holds both a secret (a CSRF token) and something from the request
       * can give the secret away by its compressed size (BREACH), and only you know whether yours do.
       * What the app has compressed itself is never compressed again. Default: false.
       */
      readonly on: boolean;
      /**
       * In order of preference, where the client likes several equally. A list of "br", "zstd" and
       * "gzip", each at most once. Default: ["br","zstd","gzip"].
       */
      readonly codings: ReadonlyArray<"zstd" | "br" | "gzip">;
      /**
       * Shorter answers stay as they are: they fit into one packet either way. Where the length is not
       * known in advance, any is compressed. A whole number of bytes from 0 to 1_073_741_824. Default:
       * 1_024.
       */
      readonly bodyBytesMin: number;
      /**
       * Further content types. Text, JSON, XML, JavaScript, SVG, WebAssembly and fonts that are not
       * compressed are known; `text/event-stream` is left alone unless it is named here, since each open
       * stream would hold a compressor. A list of types such as "application/x-tex" or "model/*".
       * Default: [].
       */
      readonly types: readonly string[];
    };
    /**
     * Folders whose files B cells serve themselves, before the app. Only GET and HEAD; names that
     * begin with a dot are not served, except below `/.well-known/`. A list of objects such as { at:
     * "/assets", folder: "public" }. Default: [].
     */
    readonly static: ReadonlyArray<{
      /**
       * The path below which the folder appears. Of several that fit, the longest. A path such as "/" or
       * "/assets", without a slash at its end.
       */
      readonly at: string;
      /** What lies in it can be read by everybody. The path of a folder. */
      readonly folder: string;
      /**
       * The file that answers for a folder; null for none. The name of a file, or null. Default:
       * "index.html".
       */
      readonly index: string | null;
      /**
       * The Cache-Control of its files. By default browsers ask each time and are told 304; for names
       * that hold a hash of the content: "public, max-age=31536000, immutable". The value of a header
       * field. Default: "public, max-age=0".
       */
      readonly cacheControl: string;
      /**
       * Whether `app.js.br`, `app.js.zst` and `app.js.gz` are served instead of `app.js` to clients that
       * can read them. Each costs a look at the disk. Default: false.
       */
      readonly precompressed: boolean;
      /**
       * Whether a symbolic link may lead out of the folder. By default what it leads to counts as
       * missing. Default: "within".
       */
      readonly symlinks: "within" | "follow";
      /**
       * Whether the app is asked for what is not in the folder. Otherwise the answer is 404. Default:
       * true.
       */
      readonly fallThrough: boolean;
    }>;
    /**
     * How slow a client may be while it has something to send or to read. A little now and then keeps
     * every other timeout from ringing: that is how slow attacks work.
     */
    readonly rates: {
      /**
       * Of a request body, over 10 s in which the app would have taken more; below it the answer is 408.
       * A tenth of the slowest telephone line. A whole number of bytes a second from 0 to 1_048_576. 0:
       * as slow as it likes. Default: 256.
       */
      readonly requestBytesMin: number;
      /**
       * Of an answer, over timeouts.slowReaderMs in which there was more to read; below it the
       * connection is cut. A whole number of bytes a second from 0 to 1_048_576. 0: as slow as it likes,
       * if it reads anything at all. Default: 256.
       */
      readonly answerBytesMin: number;
    };
    /** What clients may hold. Each B cell counts its own. */
    readonly connections: {
      /**
       * Connections of one B cell; more are closed unanswered. Each costs a few KB, and a file
       * descriptor: mind `ulimit -n`. A whole number of connections from 1 to 1_000_000. Default:
       * 50_000.
       */
      readonly countMax: number;
      /**
       * Connections from one IPv4 address, or one IPv6 /64; more are closed unanswered. Many people
       * share an address, but not many thousands. Trusted proxies are not counted. A whole number of
       * connections from 0 to 1_000_000. 0: as many as it likes. Default: 1_024.
       */
      readonly perAddressMax: number;
      /**
       * What one B cell holds for its clients: answers that they have not read yet, bodies kept for a
       * retry. Beyond it those connections are cut that have not read for longest. A thousand clients
       * that read nothing at all. A whole number of bytes from 1_048_576 to 68_719_476_736. Default:
       * 268_435_456.
       */
      readonly bufferBytesMax: number;
    };
    /** Requests that wait because no drone can take them. */
    readonly queue: {
      /**
       * Per B cell; more are refused with 503 and Retry-After. A whole number of requests from 0 to
       * 100_000. 0: none waits. Default: 1_024.
       */
      readonly countMax: number;
      /**
       * How long a request waits for a drone to be born or to come back; beyond it the answer is 503. As
       * startup.listenTimeoutMs. A whole number of ms from 100 to 600_000. Default: 30_000.
       */
      readonly msMax: number;
      /**
       * How long a request waits where all drones are full and the queue has not been empty for twice
       * this; beyond it the answer is 503 with Retry-After, so that those who are served are served in
       * time. Far above growth.queueMsTarget: growing comes first. A whole number of ms from 10 to
       * 600_000. Default: 5_000.
       */
      readonly msTarget: number;
    };
    /**
     * Requests that a B cell gives to one drone at a time and that are not answered yet; event
     * streams, downloads and WebSockets do not count once they have begun. Lower it for apps that do
     * one thing at a time. A drone whose loop is saturated gets no more than it answers in a second,
     * whatever stands here. A whole number of requests from 1 to 16_384. Default: 1_024.
     */
    readonly droneConcurrencyMax: number;
    /**
     * A request whose drone died before it answered is given to another if it is idempotent (GET, PUT,
     * DELETE...) or had not begun. A POST that had begun is never run again: 502.
     */
    readonly retry: {
      /**
       * After the first, where the request was alone with each drone that died: then it was the cause. A
       * drone's death is shared by all requests that were with it, so that bystanders are tried again
       * more often, sixteen times in all. A whole number of attempts from 0 to 10. 0: never, unless
       * others died with it. Default: 2.
       */
      readonly countMax: number;
      /**
       * Retries per request in the long run (a burst of 2,048 is free): when everything dies, sending
       * everything again is what keeps it dead. A number from 0 to 1. Default: 0.2.
       */
      readonly share: number;
      /**
       * Of a request's body, kept until the answer begins: forms and API calls, not uploads. A longer
       * body cannot be sent twice. A whole number of bytes from 0 to 16_777_216. 0: requests with a body
       * are not retried. Default: 65_536.
       */
      readonly bodyBytesMax: number;
    };
    /**
     * Whether a client's requests go to the same drone: for apps that keep sessions in memory, and for
     * socket.io. By a cookie of the organism's own, or by the client's address (an IPv6 client's /64).
     * When the drone is gone another takes its place. Off spreads load best. Default: "off".
     */
    readonly sticky: "off" | "cookie" | "address";
    /**
     * Whose X-Forwarded-For and Forwarded are believed. Nobody's by default: anybody can write a
     * header. A list of addresses and CIDR ranges. Default: [].
     */
    readonly trustedProxies: readonly string[];
    /**
     * Whether the app is told of clients in X-Forwarded-For, -Proto and -Host even where no trusted
     * proxy stands in front: for apps that were behind nginx and look nowhere else. `req.socket` tells
     * the same without it. Default: false.
     */
    readonly announceClient: boolean;
  };
  /** When the organism grows and shrinks. */
  readonly growth: {
    /**
     * Drones busier than this, on average over a window, secrete for more. At 0.7 waiting is still
     * short, and there is time to grow. A number from 0.1 to 0.95. Default: 0.7.
     */
    readonly utilizationToGrow: number;
    /**
     * Drones less busy than this are too many. Under half of utilizationToGrow: one drone at 0.7 that
     * becomes two leaves each at 0.35, which must not look like too many. A number from 0.01 to 0.9.
     * Default: 0.3.
     */
    readonly utilizationToShrink: number;
    /**
     * Requests that wait longer than this for a drone ask for growth whatever the utilization. A whole
     * number of ms from 1 to 60_000. Default: 50.
     */
    readonly queueMsTarget: number;
    /**
     * Load is averaged over this, and a surplus must last as long. As in Knative. A whole number of ms
     * from 1_000 to 3_600_000. Default: 60_000.
     */
    readonly stableWindowMs: number;
    /**
     * A burst is judged over this shorter window, and nothing shrinks while it lasts. As in Knative. A
     * whole number of ms from 500 to 600_000. Default: 6_000.
     */
    readonly panicWindowMs: number;
    /**
     * With this share of the memory in use (of the cgroup's limit, or of the machine) nothing grows
     * beyond its minimum: another process would be the one that has all of them killed. A number from
     * 0.1 to 1. Default: 0.9.
     */
    readonly memoryShareMax: number;
  };
  /** Signals between kin. */
  readonly hormones: {
    /**
     * What is left of a hormone after each hop. With four daughters a cell 0.25 is the most that stays
     * bounded; it also sets how far a signal reaches. A number from 0.01 to 0.5. Default: 0.25.
     */
    readonly attenuation: number;
    /**
     * How fast a hormone fades. Several times the birth of a cell, so that a need is still felt when
     * help arrives, and soon forgotten after. A whole number of ms from 50 to 600_000. Default: 2_000.
     */
    readonly halfLifeMs: number;
  };
  /** When cells suspect each other. A cell dies by the votes of a majority only. */
  readonly vote: {
    /**
     * How long a drone may compute without answering before it is accused. It gets no new requests at
     * once; but apps do block their loop, and busy is not dead. A whole number of ms from 1_000 to
     * 3_600_000. Default: 10_000.
     */
    readonly hangMs: number;
    /**
     * How long it waits before it asks others to ask. Twenty times what 99 of 100 answers between
     * healthy cells take. A whole number of ms from 10 to 200. Default: 100.
     */
    readonly probeTimeoutMs: number;
  };
  /**
   * When a cell is worn out. A majority that sees it so has a replacement grown first; then it
   * finishes what it has, and ends. Of each class one goes at a time, or a tenth.
   */
  readonly wear: {
    /**
     * Resident memory of a drone, seen by the others for ten seconds. By default its share of half of
     * the memory when there are as many drones as may be by default, and 512 MiB at least: an app that
     * needs no more at rest is never concerned. A whole number of bytes from 0 to 1_099_511_627_776.
     * 0: never for its memory. Default: 536_870_912.
     */
    readonly droneBytesMax: number;
    /**
     * The same for cells that run none of your code. Twice what a B cell holds with all its clients'
     * buffers full. A whole number of bytes from 0 to 1_099_511_627_776. 0: never for its memory.
     * Default: 1_073_741_824.
     */
    readonly cellBytesMax: number;
    /**
     * Open files and sockets, as a share of those that the process may have; the last fifth is what
     * its replacement takes place in. Not for B cells, whose connections http.connections bounds. 1:
     * never for its descriptors. A number from 0.1 to 1. Default: 0.8.
     */
    readonly descriptorShareMax: number;
    /**
     * How old a cell may be. Off by default, because an app may hold what nobody else has; with a day
     * or a week, leaks too slow to be noticed come to nothing. A whole number of ms from 0 to
     * 31_622_400_000. 0: never for its age. Default: 0.
     */
    readonly ageMsMax: number;
  };
  /** Going back to being an egg. */
  readonly dormancy: {
    /**
     * Without a request for this long the organism shrinks to one small process and wakes with the
     * next. An open WebSocket or unfinished answer counts as a request; what an app does of its own
     * accord does not. Off by default: it saves memory at the price of the first visitor's wait. A
     * whole number of ms from 0 to 2_592_000_000. 0: never. Default: 0.
     */
    readonly idleMs: number;
  };
  /**
   * What drones may do, besides answering requests. Open by default, because unchanged apps do all
   * of it.
   */
  readonly membrane: {
    /** Start other programs (`child_process`). Default: true. */
    readonly children: boolean;
    /** Open listening sockets of their own, besides those that the organism answers for. Default: true. */
    readonly listen: boolean;
    /**
     * Which addresses they may connect to: your database, and not the cloud's metadata service. A list
     * of addresses and CIDR ranges, or "any". Default: "any".
     */
    readonly connect: "any" | readonly string[];
    /**
     * Which files and folders they may read. The app's own folder is always among them. A list of
     * paths, or "any". Default: "any".
     */
    readonly fsRead: "any" | readonly string[];
    /** Which files and folders they may write. A list of paths, or "any". Default: "any". */
    readonly fsWrite: "any" | readonly string[];
    /**
     * Whether drones are also made unable to do what is forbidden here (an app that tries gets an
     * error). Without it neighbours only watch, and end a drone that does it: for apps that cannot
     * live with Node's permission model. Default: true.
     */
    readonly confine: boolean;
    /**
     * Load native addons (sharp, bcrypt, Prisma's engine). Without them no code runs in a drone but
     * JavaScript's. Default: true.
     */
    readonly addons: boolean;
    /**
     * What a drone may use of processors over ten seconds, 100 being one. JavaScript answers on one,
     * with some more for compression and garbage; several are worker threads, or somebody who mines. A
     * whole number of percent from 0 to 100_000. 0: no limit. Default: 0.
     */
    readonly cpuPercentMax: number;
    /**
     * Pages that are the same for everybody and at any time. B cells ask all drones for them; a drone
     * that answers otherwise than most of at least three is asked by its neighbours too, and voted out
     * by those who find the same.
     */
    readonly canary: {
      /**
       * Safe GETs, with or without a query: no clock, no counter, no name of the drone or of the client
       * in the answer, and no answer that one drone may have cached and another not. A list of paths
       * such as "/about". Default: [].
       */
      readonly paths: readonly string[];
      /**
       * What is compared of an answer besides its status and its body. A list of names of header fields.
       * Default: ["content-type","location"].
       */
      readonly headers: readonly string[];
      /** The Host field of these requests. A host name, with a port or without. Default: "localhost". */
      readonly host: string;
      /**
       * How often each B cell asks, while clients ask anything at all. One request to each drone for
       * each path. A whole number of ms from 1_000 to 3_600_000. Default: 10_000.
       */
      readonly everyMs: number;
    };
    /**
     * Whom drones are to be, where root starts cellws: they cannot read, signal or trace the other
     * cells then, which hold the TLS keys. The app, its folder and envFile must be readable for that
     * user. The name or number of a user, or null for the user who starts cellws. Default: null.
     */
    readonly user: string | null;
    /**
     * Their group, if it is not the user's own. The name or number of a group, or null for the user's.
     * Default: null.
     */
    readonly group: string | null;
  };
  /** Filtering of malicious requests, and the memory of those who sent them. */
  readonly immune: {
    /**
     * Whether B cells look for attacks (detect: only report them; block: also refuse them). Default:
     * "block".
     */
    readonly mode: "off" | "detect" | "block";
    /**
     * Whether the built-in filters run; auto: where no rules are named. True, false or "auto".
     * Default: "auto".
     */
    readonly builtin: "auto" | boolean;
    /**
     * What built-in filters do not look for, and where: for false alarms. A list of objects { filter,
     * path, parameter }. Default: [].
     */
    readonly exclude: ReadonlyArray<{
      /**
       * The built-in filter, by its name (docs/FILTERS.md) or id; * for all of them. A name such as
       * "sql-statement", an id, or "*".
       */
      readonly filter: string;
      /**
       * Only on this path; * stands for anything in it. A path such as "/wiki/*", or null for all.
       * Default: null.
       */
      readonly path: string | null;
      /**
       * Only in the parameter, cookie or uploaded file's field of this name, or in the value of this
       * full name. A name such as "comment", "json.text" or "REQUEST_HEADERS:Referer", or null for all.
       * Default: null.
       */
      readonly parameter: string | null;
    }>;
    /**
     * SecLang rules, such as the OWASP Core Rule Set, in the order in which they are read. Of a folder
     * all files that end in .conf. A list of paths of files or folders, or of patterns such as
     * "crs/rules/*.conf". Default: [].
     */
    readonly rules: readonly string[];
    /**
     * How much is suspected, as the Core Rule Set counts. 1 has few false alarms; from 3 on expect to
     * write exclusions. What the rules themselves set goes before it. A whole number from 1 to 4.
     * Default: 1.
     */
    readonly paranoia: number;
    /** The anomaly scores from which on it is blocked; a critical rule counts 5. */
    readonly threshold: {
      /**
       * Of a request. Raise it while you get to know a new rule set, and lower it again. A whole number
       * of points from 1 to 1_000. Default: 5.
       */
      readonly inboundScoreMin: number;
      /** Of an answer. A whole number of points from 1 to 1_000. Default: 4. */
      readonly outboundScoreMin: number;
    };
    /** What a client is told whose request is blocked: this, and the request's id. */
    readonly block: {
      /** For rules that name no status of their own. A status from 400 to 599. Default: 403. */
      readonly status: number;
    };
    /** How much of a request's body is looked at, and held back until it has been. */
    readonly body: {
      /**
       * Of a form with files. Uploads are held in memory up to here. A whole number of bytes from 4_096
       * to 134_217_728. Default: 13_107_200.
       */
      readonly formBytesMax: number;
      /**
       * Of any other body, and of a form's fields without its files. A whole number of bytes from 4_096
       * to 16_777_216. Default: 131_072.
       */
      readonly textBytesMax: number;
      /**
       * What becomes of larger ones. partial: the beginning is looked at, and the rest goes on as it
       * comes, unseen; reject: they are answered with 413, and nothing is unseen. Default: "partial".
       */
      readonly overLimit: "partial" | "reject";
    };
    /**
     * Whether answers are looked at too, for leaks such as error messages of databases. The first half
     * megabyte of a text is held back until it has been. Default: false.
     */
    readonly responses: boolean;
    /**
     * Called with each incident: a source or a range that was sentenced, or would have been. Tell your
     * pager, or your other servers. A list of functions, in dna.ts or dna.js. Default: [].
     */
    readonly reactions: readonly FunctionReference[];
    /**
     * Filters of your own: each is given every request, and says pass, watch or block at once. One
     * that throws, or takes more than 50 ms of the processor, blocks. A list of functions, in dna.ts
     * or dna.js. Default: [].
     */
    readonly filters: readonly FunctionReference[];
    /**
     * A file that gets one JSON line for each request that matched anything. The path of a file that
     * may be created, or null for none. Default: null.
     */
    readonly audit: string | null;
    /**
     * That file is turned over at this size, and three full ones are kept beside it: an attack must
     * not fill the disk. A whole number of bytes from 65_536 to 17_179_869_184. Default: 67_108_864.
     */
    readonly auditBytesMax: number;
    /**
     * Never banned, whatever they send: your office, your monitoring. A list of addresses and CIDR
     * ranges. Default: [].
     */
    readonly allow: readonly string[];
    /** Announce bans and reports, and carry out none. Default: false. */
    readonly dryRun: boolean;
    /** Refusing those who attacked before. */
    readonly bans: {
      /**
       * The first ban; each further one is twice as long. Addresses change hands: longer would hit the
       * next owner. A whole number of ms from 1_000 to 2_592_000_000. Default: 14_400_000.
       */
      readonly durationMs: number;
      /**
       * No ban is longer, however often it was earned. A whole number of ms from 1_000 to
       * 31_536_000_000. Default: 604_800_000.
       */
      readonly durationMsMax: number;
      /**
       * The widest IPv4 range that may be banned: 24 is 256 addresses, commonly one network of one
       * owner. A whole number of bits from 16 to 32. Default: 24.
       */
      readonly ipv4PrefixBitsMin: number;
      /**
       * The widest IPv6 range that may be banned: 48 is what one customer is commonly given. A whole
       * number of bits from 32 to 128. Default: 48.
       */
      readonly ipv6PrefixBitsMin: number;
      /**
       * A breaker: a rule that has gone wrong bans quickly. What is beyond is told and not carried out;
       * requests are filtered all the same. A whole number of bans from 1 to 10_000. Default: 120.
       */
      readonly perMinuteMax: number;
      /**
       * A breaker: no ban hits more than this share of the clients that were clean lately. A number from
       * 0 to 1. Default: 0.01.
       */
      readonly innocentShareMax: number;
      /**
       * How long a connection, or behind a proxy a request, of somebody in the tarpit is held: who tries
       * passwords gets through twelve a minute. A whole number of ms from 0 to 60_000. Default: 5_000.
       */
      readonly tarpitMs: number;
      /**
       * What each B cell takes of a source that is limited; beyond it the answer is 429. A person's
       * browser needs less. A whole number of requests a second from 1 to 10_000. Default: 10.
       */
      readonly limitPerSecond: number;
      /**
       * Keep the bans as a set in the kernel too (`nft`), for the organism's ports: refused there, an
       * attacker costs nothing. Needs the right to administer the network, as root has it. One T cell
       * then stays, also in times of peace: it keeps the set. Default: false.
       */
      readonly nftables: boolean;
      /**
       * Where passwords are tried: many failed answers (401, 403) there, to one source, are credential
       * stuffing. A list of paths such as "/login", without query. Default: [].
       */
      readonly loginPaths: readonly string[];
      /**
       * The file in the state directory that remembers bans, statistics and reports never grows beyond
       * this. 100,000 bans take about 16 MiB. A whole number of bytes from 1_048_576 to 4_294_967_296.
       * Default: 67_108_864.
       */
      readonly memoryBytesMax: number;
    };
    /** Telling others of attacks: the attacker's provider, a blocklist, your own desk. */
    readonly report: {
      /**
       * A report names an address to strangers, so it is off until asked for. In a dry run reports are
       * made and kept, and none is sent: look at them for a week first. While it is on one T cell stays,
       * also in times of peace: it sends what did not arrive again. Default: "off".
       */
      readonly mode: "off" | "dry-run" | "on";
      /**
       * Is told in each report. Without it none is made. An object { org, contact, domain }, or null for
       * nobody.
       */
      readonly reporter: {
        /** Who reports. A name. */
        readonly org: string;
        /** Whom receivers may ask. A mail address. */
        readonly contact: string;
        /** Whose reports they are. A domain name. */
        readonly domain: string;
      } | null;
      /**
       * Posts each report as XARF, signed as Standard Webhooks has it. An object { url, secretFile }, or
       * null for none.
       */
      readonly webhook: {
        /** Where to. An https URL, or an http URL of this machine. */
        readonly url: string;
        /**
         * A file with the secret (whsec_...), one a line: while it is changed both sign. The path of a
         * file.
         */
        readonly secretFile: string;
      } | null;
      /**
       * Mails each report as multipart/report (RFC 5965) with the XARF document. An object { server,
       * from, to, ... }, or null for none.
       */
      readonly mail: {
        /** The mail server. A host name or an IP address. */
        readonly server: string;
        /** Its port. A port number from 1 to 65535. Default: 587. */
        readonly serverPort: number;
        /**
         * How it is spoken to. starttls: encrypted before anything is said; tls: from the first byte (port
         * 465); none: for a relay on this machine. Default: "starttls".
         */
        readonly security: "starttls" | "tls" | "none";
        /** Its login. A name, or null for no login. Default: null. */
        readonly user: string | null;
        /** A file that holds the password. The path of a file, or null for none. Default: null. */
        readonly passwordFile: string | null;
        /** The sender. A mail address. */
        readonly from: string;
        /** The receiver. A mail address. */
        readonly to: string;
      } | null;
      /**
       * Posts each report as AbuseIPDB's report endpoint takes it. An object { url, keyFile }, or null
       * for none.
       */
      readonly abuseIpdb: {
        /** Where to. An https URL, or an http URL of this machine. */
        readonly url: string;
        /** A file that holds the API key. The path of a file. */
        readonly keyFile: string;
      } | null;
    };
  };
  /** The admin listener: metrics, health, status. Loopback only. */
  readonly admin: {
    /**
     * Its port. 0: any free one, written into the run folder. None by default: what is not asked for
     * is not opened. A port number from 0 to 65535, or null for no admin listener. Default: null.
     */
    readonly port: number | null;
  };
  /** The organism's log: one line an event. */
  readonly logs: {
    /** The least severe event that is written. Default: "info". */
    readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
    /**
     * A log file is turned over at this size: logs never fill the disk. A whole number of bytes from
     * 65_536 to 1_073_741_824. Default: 10_485_760.
     */
    readonly fileBytesMax: number;
    /**
     * How many full log files are kept beside the current one. With fileBytesMax: 40 MiB in all. A
     * whole number of files from 1 to 100. Default: 3.
     */
    readonly files: number;
    /**
     * Where each cell records every event that its mind is told, for `cellws replay`. Off by default:
     * it costs some disk, and what an app says when it fails is in it. The path of a folder, or null
     * for no such record. Default: null.
     */
    readonly events: string | null;
    /**
     * All event records together are no larger: the oldest go first. Five cells at rest fill this in
     * about two hours. A whole number of bytes from 4_194_304 to 68_719_476_736. Default: 268_435_456.
     */
    readonly eventBytesMax: number;
  };
}

/** What `defineDna` takes. Everything has a default but the app, which the command line may give. */
export interface DnaInput {
  /**
   * What the organism is called in `cellws ps --name`, and its run folder. Short, because it is part
   * of socket paths, which the kernel caps at about 100 bytes. 1 to 32 lower-case letters, digits
   * and dashes, beginning with a letter or digit. Default: the package's name, else the folder's.
   */
  name?: string | undefined;
  /**
   * The app: a file that calls `listen`, or exports `fetch`, or a `(request, response)` function; or
   * a folder with a package.json or index file. The command line's `app` goes before it. The path of
   * a JavaScript or TypeScript file, or of a folder that holds one. Default: package.json's `main`.
   */
  app?: string | undefined;
  /**
   * The working directory that the app sees. The path of a folder. Default: the folder of the DNA
   * file, or where the command was run.
   */
  cwd?: string | undefined;
  /**
   * Environment variables for the app. They go before the inherited environment, which goes before
   * `envFile`. Names of letters, digits and underscores (not beginning with CELLWS_), with strings
   * as values. Default: {}.
   */
  env?: Readonly<Record<string, string>> | undefined;
  /**
   * A file of KEY=value lines, read afresh each time that a drone is born, so that no cell lives on
   * with a stale value. The path of a file, or null for none. Default: null.
   */
  envFile?: string | null | undefined;
  /**
   * Where the organism listens. The app's own `listen(port)` is answered by the organism and opens
   * nothing. Each cell but the drones inherits each of these sockets, so there are few. A list of 1
   * to 16 objects such as { port: 8080, host: "127.0.0.1" }. Default: one of them, with the defaults
   * below.
   */
  listen?: ReadonlyArray<{
    /**
     * 0: any free one. Below 1024 the system may ask for privileges. A port number from 0 to 65535.
     * Default: 8080.
     */
    port?: number | undefined;
    /**
     * The address to listen on. By default nothing is reachable from other machines; `0.0.0.0` is
     * every IPv4 address, `::` every address, and one of them is needed in a container. An IP address
     * or a host name, such as "127.0.0.1", "::" or "localhost". Default: "127.0.0.1".
     */
    host?: string | undefined;
    /**
     * HTTPS with this key and certificate. Both files are looked at again every second; what replaces
     * them is used for new connections, and old ones go on. An object { key, cert } of paths of PEM
     * files, or null for plain HTTP.
     */
    tls?: {
      /** The private key: a PEM file without passphrase. The path of a file. */
      key: string;
      /**
       * The certificate, and after it the chain up to the root: a PEM file. Used where the client names
       * no host, or one that no certificate is for. The path of a file.
       */
      cert: string;
      /**
       * Further certificates, chosen by the host that the client names (SNI). Where several fit, the
       * exact name goes before the wildcard, then the earlier before the later. A list of objects { key,
       * cert }. Default: [].
       */
      also?: ReadonlyArray<{
        /** As above. The path of a file. */
        key: string;
        /** As above. Its own names (wildcards too) say for which hosts it is used. The path of a file. */
        cert: string;
      }>;
      /**
       * Older clients are turned away. Versions before 1.2 are broken and cannot be had. Default:
       * "TLSv1.2".
       */
      minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
      /** Offer HTTP/2 (ALPN). The app sees HTTP/1.1 either way. Default: true. */
      http2?: boolean | undefined;
      /** Telling browsers to come by HTTPS only (Strict-Transport-Security). */
      hsts?: {
        /**
         * How long a browser keeps to HTTPS after each answer. Off by default, because it cannot be taken
         * back: try 300 first, then 31_536_000 (a year). An app's own header goes before it. A whole
         * number of seconds from 0 to 315_360_000. 0: the header is not sent. Default: 0.
         */
        maxAgeSeconds?: number | undefined;
        /** For all subdomains, too: only when each of them has HTTPS. Default: false. */
        includeSubDomains?: boolean | undefined;
        /**
         * Agrees to be built into browsers, which takes months to undo. Needs includeSubDomains and a
         * year. Default: false.
         */
        preload?: boolean | undefined;
      };
    } | null;
    /**
     * Answers each plain request with a redirect to HTTPS at this port, except for
     * `/.well-known/acme-challenge/`, which certificate authorities ask for without TLS. With 443 the
     * URL names no port. The port of HTTPS as clients see it, from 1 to 65535, or null for no
     * redirect. Default: null.
     */
    httpsRedirectPort?: number | null | undefined;
  }>;
  /** How many cells of each class there may be. */
  cells?: {
    /**
     * Living daughters that one cell may have; a further birth is handed down, so that the family is a
     * tree with depth and no star around one mother. Hormones stay bounded while attenuation times
     * this is at most 1. A whole number of cells from 2 to 16. Default: 4.
     */
    daughtersMax?: number | undefined;
    /** Warm idle processes without a role: growth and healing begin with them. */
    stem?: {
      /**
       * One to answer a crash and one to answer growth at the same moment. Each costs about 60 MB, a
       * quarter of it its own. A whole number of cells from 1 to 32. Default: 2.
       */
      pool?: number | undefined;
    };
    /** Neurons watch load and ask for growth. */
    neuron?: {
      /**
       * Never fewer. One neuron, one B cell and one drone are the first majority of three. A whole
       * number of cells from 1 to 8. Default: 1.
       */
      min?: number | undefined;
      /**
       * Never more. The second has room to grow before a worn-out first one goes. More would not see
       * more. A whole number of cells from 1 to 8. Default: 2, or min if that is more.
       */
      max?: number | undefined;
    };
    /** B cells own the client connections. */
    bCell?: {
      /**
       * Never fewer. One neuron, one B cell and one drone are the first majority of three. A whole
       * number of cells from 1 to 256. Default: 1.
       */
      min?: number | undefined;
      /**
       * Never more. One B cell keeps about two busy drones fed. A whole number of cells from 1 to 256.
       * Default: half the CPUs, at least 2, or min if that is more.
       */
      max?: number | undefined;
    };
    /** T cells remember attackers; without marks there is nothing for them to do. */
    tCell?: {
      /** Never fewer. A whole number of cells from 0 to 16. Default: 0. */
      min?: number | undefined;
      /**
       * Never more. One to keep the statistics and one to keep them while the other is replaced. A whole
       * number of cells from 1 to 16. Default: 2, or min if that is more.
       */
      max?: number | undefined;
    };
    /** Drones run the app. */
    drone?: {
      /**
       * Never fewer. One neuron, one B cell and one drone are the first majority of three. A whole
       * number of cells from 1 to 1_024. Default: 1.
       */
      min?: number | undefined;
      /**
       * Never more. More busy drones than CPUs only wait for each other; but a second one is always
       * allowed, to take over while the first is replaced. A whole number of cells from 1 to 1_024.
       * Default: the CPUs, fewer where memory is short (half of it, 256 MiB a drone), at least 2, or min
       * if that is more.
       */
      max?: number | undefined;
    };
  };
  /** Loading the app. */
  startup?: {
    /**
     * How long a drone waits for the app to call `listen` or export a handler, before it counts as
     * failed. Large apps on small machines need seconds; half a minute is a hang. A whole number of ms
     * from 100 to 600_000. Default: 30_000.
     */
    listenTimeoutMs?: number | undefined;
  };
  /** What happens when the app fails at load or crashes. */
  restarts?: {
    /**
     * Wait before the first new attempt; it doubles with each failure that follows. A stumble should
     * hardly be seen. A whole number of ms from 10 to 60_000. Default: 250.
     */
    backoffMsMin?: number | undefined;
    /**
     * The wait never grows beyond this, so that an app heals soon after its database is back. A whole
     * number of ms from 10 to 3_600_000. Default: 30_000.
     */
    backoffMsMax?: number | undefined;
    /**
     * Attempts within one window, over the whole organism; beyond it each wait is the longest, until
     * the app's files change. A whole number of attempts from 1 to 1_000. Default: 10.
     */
    countMax?: number | undefined;
    /**
     * The window in which attempts are counted. Long enough for the doubling waits to use up the
     * budget. A whole number of ms from 1_000 to 86_400_000. Default: 300_000.
     */
    windowMs?: number | undefined;
  };
  /** Ending without loss. */
  drain?: {
    /**
     * How long `stop`, or a cell that is to die, lets requests in flight finish. Kubernetes kills
     * after 30 s; this leaves it 5 to spare. (Docker gives 10 s unless told otherwise.) A whole number
     * of ms from 0 to 3_600_000. 0: requests in flight are cut off at once. Default: 25_000.
     */
    msMax?: number | undefined;
  };
  /** Limits of the request path. */
  http?: {
    /**
     * Request line and headers together; beyond it the answer is 431. As in Node itself. A whole
     * number of bytes from 1_024 to 131_072. Default: 16_384.
     */
    headBytesMax?: number | undefined;
    /**
     * Request body; beyond it the answer is 413. Bodies stream, so this guards the app and its disk,
     * not the organism's memory. A whole number of bytes from 0 to 1_099_511_627_776. 0: requests have
     * no body. Default: 104_857_600.
     */
    bodyBytesMax?: number | undefined;
    /** How long a client may take. What is too slow is closed, so that slow clients hold nothing. */
    timeouts?: {
      /**
       * From the first byte of a request to the end of its head; beyond it the answer is 408. Ample for
       * a phone on a bad line, short for a slowloris. A whole number of ms from 100 to 600_000. Default:
       * 15_000.
       */
      headMs?: number | undefined;
      /**
       * Between two pieces of a request body; beyond it the answer is 408. A whole number of ms from 100
       * to 3_600_000. Default: 30_000.
       */
      bodyIdleMs?: number | undefined;
      /**
       * From the first byte of a request to its last, body included; beyond it the answer is 408. Enough
       * for 2 GB at 5 Mbit/s; http.rates finds who only pretends to send. A whole number of ms from 0 to
       * 86_400_000. 0: never. Default: 3_600_000.
       */
      requestMs?: number | undefined;
      /**
       * Between two requests on one connection. Longer than the 60 s of common load balancers, so that
       * they, and not we, close first: else their next request meets a closed connection. A whole number
       * of ms from 0 to 3_600_000. 0: each connection serves one request. Default: 65_000.
       */
      keepAliveIdleMs?: number | undefined;
      /**
       * From the end of a request to the first byte of the app's answer; beyond it the answer is 504. A
       * whole number of ms from 0 to 86_400_000. 0: never. Default: 60_000.
       */
      answerMs?: number | undefined;
      /**
       * Between two pieces of the app's answer; beyond it the connection is cut. Never by default: event
       * streams may be silent for hours. A whole number of ms from 0 to 86_400_000. 0: never. Default:
       * 0.
       */
      answerIdleMs?: number | undefined;
      /**
       * From the end of a request to the end of its answer; beyond it the connection is cut. Never by
       * default: downloads and event streams take as long as they take. Tunnels (WebSockets) are not
       * answers. A whole number of ms from 0 to 604_800_000. 0: never. Default: 0.
       */
      answerTotalMs?: number | undefined;
      /**
       * Over how long http.rates.answerBytesMin is judged. Long, because the kernel tells of what a
       * client has read only in large steps. A whole number of ms from 1_000 to 3_600_000. Default:
       * 120_000.
       */
      slowReaderMs?: number | undefined;
    };
    /** Compressing the app's answers and static files, where the client says that it can read it. */
    compression?: {
      /**
       * Off by default: an answer that holds both a secret (a CSRF token) and something from the request
       * can give the secret away by its compressed size (BREACH), and only you know whether yours do.
       * What the app has compressed itself is never compressed again. Default: false.
       */
      on?: boolean | undefined;
      /**
       * In order of preference, where the client likes several equally. A list of "br", "zstd" and
       * "gzip", each at most once. Default: ["br","zstd","gzip"].
       */
      codings?: ReadonlyArray<"zstd" | "br" | "gzip"> | undefined;
      /**
       * Shorter answers stay as they are: they fit into one packet either way. Where the length is not
       * known in advance, any is compressed. A whole number of bytes from 0 to 1_073_741_824. Default:
       * 1_024.
       */
      bodyBytesMin?: number | undefined;
      /**
       * Further content types. Text, JSON, XML, JavaScript, SVG, WebAssembly and fonts that are not
       * compressed are known; `text/event-stream` is left alone unless it is named here, since each open
       * stream would hold a compressor. A list of types such as "application/x-tex" or "model/*".
       * Default: [].
       */
      types?: readonly string[] | undefined;
    };
    /**
     * Folders whose files B cells serve themselves, before the app. Only GET and HEAD; names that
     * begin with a dot are not served, except below `/.well-known/`. A list of objects such as { at:
     * "/assets", folder: "public" }. Default: [].
     */
    static?: ReadonlyArray<{
      /**
       * The path below which the folder appears. Of several that fit, the longest. A path such as "/" or
       * "/assets", without a slash at its end.
       */
      at: string;
      /** What lies in it can be read by everybody. The path of a folder. */
      folder: string;
      /**
       * The file that answers for a folder; null for none. The name of a file, or null. Default:
       * "index.html".
       */
      index?: string | null | undefined;
      /**
       * The Cache-Control of its files. By default browsers ask each time and are told 304; for names
       * that hold a hash of the content: "public, max-age=31536000, immutable". The value of a header
       * field. Default: "public, max-age=0".
       */
      cacheControl?: string | undefined;
      /**
       * Whether `app.js.br`, `app.js.zst` and `app.js.gz` are served instead of `app.js` to clients that
       * can read them. Each costs a look at the disk. Default: false.
       */
      precompressed?: boolean | undefined;
      /**
       * Whether a symbolic link may lead out of the folder. By default what it leads to counts as
       * missing. Default: "within".
       */
      symlinks?: "within" | "follow" | undefined;
      /**
       * Whether the app is asked for what is not in the folder. Otherwise the answer is 404. Default:
       * true.
       */
      fallThrough?: boolean | undefined;
    }>;
    /**
     * How slow a client may be while it has something to send or to read. A little now and then keeps
     * every other timeout from ringing: that is how slow attacks work.
     */
    rates?: {
      /**
       * Of a request body, over 10 s in which the app would have taken more; below it the answer is 408.
       * A tenth of the slowest telephone line. A whole number of bytes a second from 0 to 1_048_576. 0:
       * as slow as it likes. Default: 256.
       */
      requestBytesMin?: number | undefined;
      /**
       * Of an answer, over timeouts.slowReaderMs in which there was more to read; below it the
       * connection is cut. A whole number of bytes a second from 0 to 1_048_576. 0: as slow as it likes,
       * if it reads anything at all. Default: 256.
       */
      answerBytesMin?: number | undefined;
    };
    /** What clients may hold. Each B cell counts its own. */
    connections?: {
      /**
       * Connections of one B cell; more are closed unanswered. Each costs a few KB, and a file
       * descriptor: mind `ulimit -n`. A whole number of connections from 1 to 1_000_000. Default:
       * 50_000.
       */
      countMax?: number | undefined;
      /**
       * Connections from one IPv4 address, or one IPv6 /64; more are closed unanswered. Many people
       * share an address, but not many thousands. Trusted proxies are not counted. A whole number of
       * connections from 0 to 1_000_000. 0: as many as it likes. Default: 1_024.
       */
      perAddressMax?: number | undefined;
      /**
       * What one B cell holds for its clients: answers that they have not read yet, bodies kept for a
       * retry. Beyond it those connections are cut that have not read for longest. A thousand clients
       * that read nothing at all. A whole number of bytes from 1_048_576 to 68_719_476_736. Default:
       * 268_435_456.
       */
      bufferBytesMax?: number | undefined;
    };
    /** Requests that wait because no drone can take them. */
    queue?: {
      /**
       * Per B cell; more are refused with 503 and Retry-After. A whole number of requests from 0 to
       * 100_000. 0: none waits. Default: 1_024.
       */
      countMax?: number | undefined;
      /**
       * How long a request waits for a drone to be born or to come back; beyond it the answer is 503. As
       * startup.listenTimeoutMs. A whole number of ms from 100 to 600_000. Default: 30_000.
       */
      msMax?: number | undefined;
      /**
       * How long a request waits where all drones are full and the queue has not been empty for twice
       * this; beyond it the answer is 503 with Retry-After, so that those who are served are served in
       * time. Far above growth.queueMsTarget: growing comes first. A whole number of ms from 10 to
       * 600_000. Default: 5_000.
       */
      msTarget?: number | undefined;
    };
    /**
     * Requests that a B cell gives to one drone at a time and that are not answered yet; event
     * streams, downloads and WebSockets do not count once they have begun. Lower it for apps that do
     * one thing at a time. A drone whose loop is saturated gets no more than it answers in a second,
     * whatever stands here. A whole number of requests from 1 to 16_384. Default: 1_024.
     */
    droneConcurrencyMax?: number | undefined;
    /**
     * A request whose drone died before it answered is given to another if it is idempotent (GET, PUT,
     * DELETE...) or had not begun. A POST that had begun is never run again: 502.
     */
    retry?: {
      /**
       * After the first, where the request was alone with each drone that died: then it was the cause. A
       * drone's death is shared by all requests that were with it, so that bystanders are tried again
       * more often, sixteen times in all. A whole number of attempts from 0 to 10. 0: never, unless
       * others died with it. Default: 2.
       */
      countMax?: number | undefined;
      /**
       * Retries per request in the long run (a burst of 2,048 is free): when everything dies, sending
       * everything again is what keeps it dead. A number from 0 to 1. Default: 0.2.
       */
      share?: number | undefined;
      /**
       * Of a request's body, kept until the answer begins: forms and API calls, not uploads. A longer
       * body cannot be sent twice. A whole number of bytes from 0 to 16_777_216. 0: requests with a body
       * are not retried. Default: 65_536.
       */
      bodyBytesMax?: number | undefined;
    };
    /**
     * Whether a client's requests go to the same drone: for apps that keep sessions in memory, and for
     * socket.io. By a cookie of the organism's own, or by the client's address (an IPv6 client's /64).
     * When the drone is gone another takes its place. Off spreads load best. Default: "off".
     */
    sticky?: "off" | "cookie" | "address" | undefined;
    /**
     * Whose X-Forwarded-For and Forwarded are believed. Nobody's by default: anybody can write a
     * header. A list of addresses and CIDR ranges. Default: [].
     */
    trustedProxies?: readonly string[] | undefined;
    /**
     * Whether the app is told of clients in X-Forwarded-For, -Proto and -Host even where no trusted
     * proxy stands in front: for apps that were behind nginx and look nowhere else. `req.socket` tells
     * the same without it. Default: false.
     */
    announceClient?: boolean | undefined;
  };
  /** When the organism grows and shrinks. */
  growth?: {
    /**
     * Drones busier than this, on average over a window, secrete for more. At 0.7 waiting is still
     * short, and there is time to grow. A number from 0.1 to 0.95. Default: 0.7.
     */
    utilizationToGrow?: number | undefined;
    /**
     * Drones less busy than this are too many. Under half of utilizationToGrow: one drone at 0.7 that
     * becomes two leaves each at 0.35, which must not look like too many. A number from 0.01 to 0.9.
     * Default: 0.3.
     */
    utilizationToShrink?: number | undefined;
    /**
     * Requests that wait longer than this for a drone ask for growth whatever the utilization. A whole
     * number of ms from 1 to 60_000. Default: 50.
     */
    queueMsTarget?: number | undefined;
    /**
     * Load is averaged over this, and a surplus must last as long. As in Knative. A whole number of ms
     * from 1_000 to 3_600_000. Default: 60_000.
     */
    stableWindowMs?: number | undefined;
    /**
     * A burst is judged over this shorter window, and nothing shrinks while it lasts. As in Knative. A
     * whole number of ms from 500 to 600_000. Default: 6_000.
     */
    panicWindowMs?: number | undefined;
    /**
     * With this share of the memory in use (of the cgroup's limit, or of the machine) nothing grows
     * beyond its minimum: another process would be the one that has all of them killed. A number from
     * 0.1 to 1. Default: 0.9.
     */
    memoryShareMax?: number | undefined;
  };
  /** Signals between kin. */
  hormones?: {
    /**
     * What is left of a hormone after each hop. With four daughters a cell 0.25 is the most that stays
     * bounded; it also sets how far a signal reaches. A number from 0.01 to 0.5. Default: 0.25.
     */
    attenuation?: number | undefined;
    /**
     * How fast a hormone fades. Several times the birth of a cell, so that a need is still felt when
     * help arrives, and soon forgotten after. A whole number of ms from 50 to 600_000. Default: 2_000.
     */
    halfLifeMs?: number | undefined;
  };
  /** When cells suspect each other. A cell dies by the votes of a majority only. */
  vote?: {
    /**
     * How long a drone may compute without answering before it is accused. It gets no new requests at
     * once; but apps do block their loop, and busy is not dead. A whole number of ms from 1_000 to
     * 3_600_000. Default: 10_000.
     */
    hangMs?: number | undefined;
    /**
     * How long it waits before it asks others to ask. Twenty times what 99 of 100 answers between
     * healthy cells take. A whole number of ms from 10 to 200. Default: 100.
     */
    probeTimeoutMs?: number | undefined;
  };
  /**
   * When a cell is worn out. A majority that sees it so has a replacement grown first; then it
   * finishes what it has, and ends. Of each class one goes at a time, or a tenth.
   */
  wear?: {
    /**
     * Resident memory of a drone, seen by the others for ten seconds. By default its share of half of
     * the memory when there are as many drones as may be by default, and 512 MiB at least: an app that
     * needs no more at rest is never concerned. A whole number of bytes from 0 to 1_099_511_627_776.
     * 0: never for its memory. Default: 536_870_912.
     */
    droneBytesMax?: number | undefined;
    /**
     * The same for cells that run none of your code. Twice what a B cell holds with all its clients'
     * buffers full. A whole number of bytes from 0 to 1_099_511_627_776. 0: never for its memory.
     * Default: 1_073_741_824.
     */
    cellBytesMax?: number | undefined;
    /**
     * Open files and sockets, as a share of those that the process may have; the last fifth is what
     * its replacement takes place in. Not for B cells, whose connections http.connections bounds. 1:
     * never for its descriptors. A number from 0.1 to 1. Default: 0.8.
     */
    descriptorShareMax?: number | undefined;
    /**
     * How old a cell may be. Off by default, because an app may hold what nobody else has; with a day
     * or a week, leaks too slow to be noticed come to nothing. A whole number of ms from 0 to
     * 31_622_400_000. 0: never for its age. Default: 0.
     */
    ageMsMax?: number | undefined;
  };
  /** Going back to being an egg. */
  dormancy?: {
    /**
     * Without a request for this long the organism shrinks to one small process and wakes with the
     * next. An open WebSocket or unfinished answer counts as a request; what an app does of its own
     * accord does not. Off by default: it saves memory at the price of the first visitor's wait. A
     * whole number of ms from 0 to 2_592_000_000. 0: never. Default: 0.
     */
    idleMs?: number | undefined;
  };
  /**
   * What drones may do, besides answering requests. Open by default, because unchanged apps do all
   * of it.
   */
  membrane?: {
    /** Start other programs (`child_process`). Default: true. */
    children?: boolean | undefined;
    /** Open listening sockets of their own, besides those that the organism answers for. Default: true. */
    listen?: boolean | undefined;
    /**
     * Which addresses they may connect to: your database, and not the cloud's metadata service. A list
     * of addresses and CIDR ranges, or "any". Default: "any".
     */
    connect?: "any" | readonly string[] | undefined;
    /**
     * Which files and folders they may read. The app's own folder is always among them. A list of
     * paths, or "any". Default: "any".
     */
    fsRead?: "any" | readonly string[] | undefined;
    /** Which files and folders they may write. A list of paths, or "any". Default: "any". */
    fsWrite?: "any" | readonly string[] | undefined;
    /**
     * Whether drones are also made unable to do what is forbidden here (an app that tries gets an
     * error). Without it neighbours only watch, and end a drone that does it: for apps that cannot
     * live with Node's permission model. Default: true.
     */
    confine?: boolean | undefined;
    /**
     * Load native addons (sharp, bcrypt, Prisma's engine). Without them no code runs in a drone but
     * JavaScript's. Default: true.
     */
    addons?: boolean | undefined;
    /**
     * What a drone may use of processors over ten seconds, 100 being one. JavaScript answers on one,
     * with some more for compression and garbage; several are worker threads, or somebody who mines. A
     * whole number of percent from 0 to 100_000. 0: no limit. Default: 0.
     */
    cpuPercentMax?: number | undefined;
    /**
     * Pages that are the same for everybody and at any time. B cells ask all drones for them; a drone
     * that answers otherwise than most of at least three is asked by its neighbours too, and voted out
     * by those who find the same.
     */
    canary?: {
      /**
       * Safe GETs, with or without a query: no clock, no counter, no name of the drone or of the client
       * in the answer, and no answer that one drone may have cached and another not. A list of paths
       * such as "/about". Default: [].
       */
      paths?: readonly string[] | undefined;
      /**
       * What is compared of an answer besides its status and its body. A list of names of header fields.
       * Default: ["content-type","location"].
       */
      headers?: readonly string[] | undefined;
      /** The Host field of these requests. A host name, with a port or without. Default: "localhost". */
      host?: string | undefined;
      /**
       * How often each B cell asks, while clients ask anything at all. One request to each drone for
       * each path. A whole number of ms from 1_000 to 3_600_000. Default: 10_000.
       */
      everyMs?: number | undefined;
    };
    /**
     * Whom drones are to be, where root starts cellws: they cannot read, signal or trace the other
     * cells then, which hold the TLS keys. The app, its folder and envFile must be readable for that
     * user. The name or number of a user, or null for the user who starts cellws. Default: null.
     */
    user?: string | null | undefined;
    /**
     * Their group, if it is not the user's own. The name or number of a group, or null for the user's.
     * Default: null.
     */
    group?: string | null | undefined;
  };
  /** Filtering of malicious requests, and the memory of those who sent them. */
  immune?: {
    /**
     * Whether B cells look for attacks (detect: only report them; block: also refuse them). Default:
     * "block".
     */
    mode?: "off" | "detect" | "block" | undefined;
    /**
     * Whether the built-in filters run; auto: where no rules are named. True, false or "auto".
     * Default: "auto".
     */
    builtin?: "auto" | boolean | undefined;
    /**
     * What built-in filters do not look for, and where: for false alarms. A list of objects { filter,
     * path, parameter }. Default: [].
     */
    exclude?: ReadonlyArray<{
      /**
       * The built-in filter, by its name (docs/FILTERS.md) or id; * for all of them. A name such as
       * "sql-statement", an id, or "*".
       */
      filter: string;
      /**
       * Only on this path; * stands for anything in it. A path such as "/wiki/*", or null for all.
       * Default: null.
       */
      path?: string | null | undefined;
      /**
       * Only in the parameter, cookie or uploaded file's field of this name, or in the value of this
       * full name. A name such as "comment", "json.text" or "REQUEST_HEADERS:Referer", or null for all.
       * Default: null.
       */
      parameter?: string | null | undefined;
    }>;
    /**
     * SecLang rules, such as the OWASP Core Rule Set, in the order in which they are read. Of a folder
     * all files that end in .conf. A list of paths of files or folders, or of patterns such as
     * "crs/rules/*.conf". Default: [].
     */
    rules?: readonly string[] | undefined;
    /**
     * How much is suspected, as the Core Rule Set counts. 1 has few false alarms; from 3 on expect to
     * write exclusions. What the rules themselves set goes before it. A whole number from 1 to 4.
     * Default: 1.
     */
    paranoia?: number | undefined;
    /** The anomaly scores from which on it is blocked; a critical rule counts 5. */
    threshold?: {
      /**
       * Of a request. Raise it while you get to know a new rule set, and lower it again. A whole number
       * of points from 1 to 1_000. Default: 5.
       */
      inboundScoreMin?: number | undefined;
      /** Of an answer. A whole number of points from 1 to 1_000. Default: 4. */
      outboundScoreMin?: number | undefined;
    };
    /** What a client is told whose request is blocked: this, and the request's id. */
    block?: {
      /** For rules that name no status of their own. A status from 400 to 599. Default: 403. */
      status?: number | undefined;
    };
    /** How much of a request's body is looked at, and held back until it has been. */
    body?: {
      /**
       * Of a form with files. Uploads are held in memory up to here. A whole number of bytes from 4_096
       * to 134_217_728. Default: 13_107_200.
       */
      formBytesMax?: number | undefined;
      /**
       * Of any other body, and of a form's fields without its files. A whole number of bytes from 4_096
       * to 16_777_216. Default: 131_072.
       */
      textBytesMax?: number | undefined;
      /**
       * What becomes of larger ones. partial: the beginning is looked at, and the rest goes on as it
       * comes, unseen; reject: they are answered with 413, and nothing is unseen. Default: "partial".
       */
      overLimit?: "partial" | "reject" | undefined;
    };
    /**
     * Whether answers are looked at too, for leaks such as error messages of databases. The first half
     * megabyte of a text is held back until it has been. Default: false.
     */
    responses?: boolean | undefined;
    /**
     * Called with each incident: a source or a range that was sentenced, or would have been. Tell your
     * pager, or your other servers. A list of functions, in dna.ts or dna.js. Default: [].
     */
    reactions?: readonly ImmuneReaction[] | undefined;
    /**
     * Filters of your own: each is given every request, and says pass, watch or block at once. One
     * that throws, or takes more than 50 ms of the processor, blocks. A list of functions, in dna.ts
     * or dna.js. Default: [].
     */
    filters?: readonly ImmuneFilter[] | undefined;
    /**
     * A file that gets one JSON line for each request that matched anything. The path of a file that
     * may be created, or null for none. Default: null.
     */
    audit?: string | null | undefined;
    /**
     * That file is turned over at this size, and three full ones are kept beside it: an attack must
     * not fill the disk. A whole number of bytes from 65_536 to 17_179_869_184. Default: 67_108_864.
     */
    auditBytesMax?: number | undefined;
    /**
     * Never banned, whatever they send: your office, your monitoring. A list of addresses and CIDR
     * ranges. Default: [].
     */
    allow?: readonly string[] | undefined;
    /** Announce bans and reports, and carry out none. Default: false. */
    dryRun?: boolean | undefined;
    /** Refusing those who attacked before. */
    bans?: {
      /**
       * The first ban; each further one is twice as long. Addresses change hands: longer would hit the
       * next owner. A whole number of ms from 1_000 to 2_592_000_000. Default: 14_400_000.
       */
      durationMs?: number | undefined;
      /**
       * No ban is longer, however often it was earned. A whole number of ms from 1_000 to
       * 31_536_000_000. Default: 604_800_000.
       */
      durationMsMax?: number | undefined;
      /**
       * The widest IPv4 range that may be banned: 24 is 256 addresses, commonly one network of one
       * owner. A whole number of bits from 16 to 32. Default: 24.
       */
      ipv4PrefixBitsMin?: number | undefined;
      /**
       * The widest IPv6 range that may be banned: 48 is what one customer is commonly given. A whole
       * number of bits from 32 to 128. Default: 48.
       */
      ipv6PrefixBitsMin?: number | undefined;
      /**
       * A breaker: a rule that has gone wrong bans quickly. What is beyond is told and not carried out;
       * requests are filtered all the same. A whole number of bans from 1 to 10_000. Default: 120.
       */
      perMinuteMax?: number | undefined;
      /**
       * A breaker: no ban hits more than this share of the clients that were clean lately. A number from
       * 0 to 1. Default: 0.01.
       */
      innocentShareMax?: number | undefined;
      /**
       * How long a connection, or behind a proxy a request, of somebody in the tarpit is held: who tries
       * passwords gets through twelve a minute. A whole number of ms from 0 to 60_000. Default: 5_000.
       */
      tarpitMs?: number | undefined;
      /**
       * What each B cell takes of a source that is limited; beyond it the answer is 429. A person's
       * browser needs less. A whole number of requests a second from 1 to 10_000. Default: 10.
       */
      limitPerSecond?: number | undefined;
      /**
       * Keep the bans as a set in the kernel too (`nft`), for the organism's ports: refused there, an
       * attacker costs nothing. Needs the right to administer the network, as root has it. One T cell
       * then stays, also in times of peace: it keeps the set. Default: false.
       */
      nftables?: boolean | undefined;
      /**
       * Where passwords are tried: many failed answers (401, 403) there, to one source, are credential
       * stuffing. A list of paths such as "/login", without query. Default: [].
       */
      loginPaths?: readonly string[] | undefined;
      /**
       * The file in the state directory that remembers bans, statistics and reports never grows beyond
       * this. 100,000 bans take about 16 MiB. A whole number of bytes from 1_048_576 to 4_294_967_296.
       * Default: 67_108_864.
       */
      memoryBytesMax?: number | undefined;
    };
    /** Telling others of attacks: the attacker's provider, a blocklist, your own desk. */
    report?: {
      /**
       * A report names an address to strangers, so it is off until asked for. In a dry run reports are
       * made and kept, and none is sent: look at them for a week first. While it is on one T cell stays,
       * also in times of peace: it sends what did not arrive again. Default: "off".
       */
      mode?: "off" | "dry-run" | "on" | undefined;
      /**
       * Is told in each report. Without it none is made. An object { org, contact, domain }, or null for
       * nobody.
       */
      reporter?: {
        /** Who reports. A name. */
        org: string;
        /** Whom receivers may ask. A mail address. */
        contact: string;
        /** Whose reports they are. A domain name. */
        domain: string;
      } | null;
      /**
       * Posts each report as XARF, signed as Standard Webhooks has it. An object { url, secretFile }, or
       * null for none.
       */
      webhook?: {
        /** Where to. An https URL, or an http URL of this machine. */
        url: string;
        /**
         * A file with the secret (whsec_...), one a line: while it is changed both sign. The path of a
         * file.
         */
        secretFile: string;
      } | null;
      /**
       * Mails each report as multipart/report (RFC 5965) with the XARF document. An object { server,
       * from, to, ... }, or null for none.
       */
      mail?: {
        /** The mail server. A host name or an IP address. */
        server: string;
        /** Its port. A port number from 1 to 65535. Default: 587. */
        serverPort?: number | undefined;
        /**
         * How it is spoken to. starttls: encrypted before anything is said; tls: from the first byte (port
         * 465); none: for a relay on this machine. Default: "starttls".
         */
        security?: "starttls" | "tls" | "none" | undefined;
        /** Its login. A name, or null for no login. Default: null. */
        user?: string | null | undefined;
        /** A file that holds the password. The path of a file, or null for none. Default: null. */
        passwordFile?: string | null | undefined;
        /** The sender. A mail address. */
        from: string;
        /** The receiver. A mail address. */
        to: string;
      } | null;
      /**
       * Posts each report as AbuseIPDB's report endpoint takes it. An object { url, keyFile }, or null
       * for none.
       */
      abuseIpdb?: {
        /** Where to. An https URL, or an http URL of this machine. */
        url: string;
        /** A file that holds the API key. The path of a file. */
        keyFile: string;
      } | null;
    };
  };
  /** The admin listener: metrics, health, status. Loopback only. */
  admin?: {
    /**
     * Its port. 0: any free one, written into the run folder. None by default: what is not asked for
     * is not opened. A port number from 0 to 65535, or null for no admin listener. Default: null.
     */
    port?: number | null | undefined;
  };
  /** The organism's log: one line an event. */
  logs?: {
    /** The least severe event that is written. Default: "info". */
    level?: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | undefined;
    /**
     * A log file is turned over at this size: logs never fill the disk. A whole number of bytes from
     * 65_536 to 1_073_741_824. Default: 10_485_760.
     */
    fileBytesMax?: number | undefined;
    /**
     * How many full log files are kept beside the current one. With fileBytesMax: 40 MiB in all. A
     * whole number of files from 1 to 100. Default: 3.
     */
    files?: number | undefined;
    /**
     * Where each cell records every event that its mind is told, for `cellws replay`. Off by default:
     * it costs some disk, and what an app says when it fails is in it. The path of a folder, or null
     * for no such record. Default: null.
     */
    events?: string | null | undefined;
    /**
     * All event records together are no larger: the oldest go first. Five cells at rest fill this in
     * about two hours. A whole number of bytes from 4_194_304 to 68_719_476_736. Default: 268_435_456.
     */
    eventBytesMax?: number | undefined;
  };
}
