/**
 * The DNA: every key, its default, unit, bound and reason. The one place; all else is derived from it.
 *
 * docs/DNA.md, docs/dna.schema.json and the types in dna.ts are generated from here
 * (`node scripts/dna-reference.ts`), and an error's "expected" is too (fields.ts).
 *
 * What belongs to one key is here. What ties two keys together is in rules.ts; which keys are already
 * understood but not yet acted on is in later.ts. Defaults suit a small server, and where the machine
 * matters (how many CPUs?) the answer arrives as facts: this file asks nobody. No path is looked up here.
 */
import * as z from "zod";
import { formatIpRange, networkOf, parseIpAddress, parseIpRange } from "../lib/ip-range.ts";

/** What the schema's defaults need to know of the machine and the project. Gathered by facts.ts. */
export interface DnaFacts {
  /** CPUs that this process may use, after affinity and the cgroup's quota. */
  cpuCount: number;
  /** Memory that this process may use, after the cgroup's limit. */
  memoryBytes: number;
  /** A fit name, from package.json or the folder. */
  name: string;
  /** Absolute: the folder of the DNA file, or where the command was run. */
  folder: string;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

/** Unknown keys are refused everywhere: a misspelt limit that is silently ignored is found at 3 a.m. */
export function dnaSchema(facts: DnaFacts) {
  return z.strictObject({
    name: z.string().regex(NAME).default(facts.name).meta({
      description:
        "What the organism is called in `cellws ps --name`, and its run folder. Short, because it is part of socket paths, which the kernel caps at about 100 bytes.",
      accepts: "1 to 32 lower-case letters, digits and dashes, beginning with a letter or digit",
      initially: "the package's name, else the folder's",
    }),
    app: path("file").meta({
      description:
        "The app: a file that calls `listen`, or exports `fetch`, or a `(request, response)` function; or a folder with a package.json or index file. The command line's `app` goes before it.",
      accepts: "the path of a JavaScript or TypeScript file, or of a folder that holds one",
      initially: "package.json's `main`",
      fromOutside: true,
    }),
    cwd: path("folder").default(facts.folder).meta({
      description: "The working directory that the app sees.",
      accepts: "the path of a folder",
      initially: "the folder of the DNA file, or where the command was run",
    }),
    env: z
      .record(
        z.string().regex(ENV_NAME),
        z
          .string()
          // A NUL ends a C string: what follows would be lost without a word.
          .refine((value) => !value.includes("\0")),
      )
      .default({})
      .meta({
        description:
          "Environment variables for the app. They go before the inherited environment, which goes before `envFile`.",
        accepts: "names of letters, digits and underscores (not beginning with CELLWS_), with strings as values",
      }),
    envFile: nullable(path("file")).meta({
      description:
        "A file of KEY=value lines, read afresh each time that a drone is born, so that no cell lives on with a stale value.",
      accepts: "the path of a file, or null for none",
    }),

    listen: z.array(listenSchema()).min(1).max(16).prefault([{}]).meta({
      description:
        "Where the organism listens. The app's own `listen(port)` is answered by the organism and opens nothing. Each cell but the drones inherits each of these sockets, so there are few.",
      accepts: 'a list of 1 to 16 objects such as { port: 8080, host: "127.0.0.1" }',
    }),

    cells: section("How many cells of each class there may be.", {
      daughtersMax: whole("cells", {
        from: 2,
        to: 16,
        initially: 4,
        why: "Living daughters that one cell may have; a further birth is handed down, so that the family is a tree with depth and no star around one mother. Hormones stay bounded while attenuation times this is at most 1.",
      }),
      stem: section("Warm idle processes without a role: growth and healing begin with them.", {
        pool: whole("cells", {
          from: 1,
          to: 32,
          initially: 2,
          why: "One to answer a crash and one to answer growth at the same moment. Each costs about 60 MB, a quarter of it its own.",
        }),
      }),
      neuron: population("Neurons watch load and ask for growth.", {
        min: 1,
        to: 8,
        max: 2,
        maxInitially: "2",
        why: "The second has room to grow before a worn-out first one goes. More would not see more.",
      }),
      bCell: population("B cells own the client connections.", {
        min: 1,
        to: 256,
        max: Math.max(2, Math.ceil(facts.cpuCount / 2)),
        maxInitially: "half the CPUs, at least 2",
        why: "One B cell keeps about two busy drones fed.",
      }),
      tCell: population("T cells remember attackers; without marks there is nothing for them to do.", {
        min: 0,
        to: 16,
        max: 2,
        maxInitially: "2",
        why: "One to keep the statistics and one to keep them while the other is replaced.",
      }),
      drone: population("Drones run the app.", {
        min: 1,
        to: 1_024,
        max: dronesMaxOf(facts),
        maxInitially: "the CPUs, fewer where memory is short (half of it, 256 MiB a drone), at least 2",
        why: "More busy drones than CPUs only wait for each other; but a second one is always allowed, to take over while the first is replaced.",
      }),
    }),

    startup: section("Loading the app.", {
      listenTimeoutMs: whole("ms", {
        from: 100,
        to: 10 * MINUTE_MS,
        initially: 30 * SECOND_MS,
        why: "How long a drone waits for the app to call `listen` or export a handler, before it counts as failed. Large apps on small machines need seconds; half a minute is a hang.",
      }),
    }),
    restarts: section("What happens when the app fails at load or crashes.", {
      backoffMsMin: whole("ms", {
        from: 10,
        to: MINUTE_MS,
        initially: 250,
        why: "Wait before the first new attempt; it doubles with each failure that follows. A stumble should hardly be seen.",
      }),
      backoffMsMax: whole("ms", {
        from: 10,
        to: HOUR_MS,
        initially: 30 * SECOND_MS,
        why: "The wait never grows beyond this, so that an app heals soon after its database is back.",
      }),
      countMax: whole("attempts", {
        from: 1,
        to: 1_000,
        initially: 10,
        why: "Attempts within one window, over the whole organism; beyond it each wait is the longest, until the app's files change.",
      }),
      windowMs: whole("ms", {
        from: SECOND_MS,
        to: DAY_MS,
        initially: 5 * MINUTE_MS,
        why: "The window in which attempts are counted. Long enough for the doubling waits to use up the budget.",
      }),
    }),
    drain: section("Ending without loss.", {
      msMax: whole("ms", {
        from: 0,
        to: HOUR_MS,
        initially: 25 * SECOND_MS,
        zero: "requests in flight are cut off at once",
        why: "How long `stop`, or a cell that is to die, lets requests in flight finish. Kubernetes kills after 30 s; this leaves it 5 to spare. (Docker gives 10 s unless told otherwise.)",
      }),
    }),

    http: section("Limits of the request path.", {
      headBytesMax: whole("bytes", {
        from: KIB,
        to: 128 * KIB,
        initially: 16 * KIB,
        why: "Request line and headers together; beyond it the answer is 431. As in Node itself.",
      }),
      bodyBytesMax: whole("bytes", {
        from: 0,
        to: 1_024 * GIB,
        initially: 100 * MIB,
        zero: "requests have no body",
        why: "Request body; beyond it the answer is 413. Bodies stream, so this guards the app and its disk, not the organism's memory.",
      }),
      timeouts: section("How long a client may take. What is too slow is closed, so that slow clients hold nothing.", {
        headMs: whole("ms", {
          from: 100,
          to: 10 * MINUTE_MS,
          initially: 15 * SECOND_MS,
          why: "From the first byte of a request to the end of its head; beyond it the answer is 408. Ample for a phone on a bad line, short for a slowloris.",
        }),
        bodyIdleMs: whole("ms", {
          from: 100,
          to: HOUR_MS,
          initially: 30 * SECOND_MS,
          why: "Between two pieces of a request body; beyond it the answer is 408.",
        }),
        requestMs: whole("ms", {
          from: 0,
          to: DAY_MS,
          initially: HOUR_MS,
          zero: "never",
          why: "From the first byte of a request to its last, body included; beyond it the answer is 408. Enough for 2 GB at 5 Mbit/s; http.rates finds who only pretends to send.",
        }),
        keepAliveIdleMs: whole("ms", {
          from: 0,
          to: HOUR_MS,
          initially: 65 * SECOND_MS,
          zero: "each connection serves one request",
          why: "Between two requests on one connection. Longer than the 60 s of common load balancers, so that they, and not we, close first: else their next request meets a closed connection.",
        }),
        answerMs: whole("ms", {
          from: 0,
          to: DAY_MS,
          initially: 60 * SECOND_MS,
          zero: "never",
          why: "From the end of a request to the first byte of the app's answer; beyond it the answer is 504.",
        }),
        answerIdleMs: whole("ms", {
          from: 0,
          to: DAY_MS,
          initially: 0,
          zero: "never",
          why: "Between two pieces of the app's answer; beyond it the connection is cut. Never by default: event streams may be silent for hours.",
        }),
        answerTotalMs: whole("ms", {
          from: 0,
          to: 7 * DAY_MS,
          initially: 0,
          zero: "never",
          why: "From the end of a request to the end of its answer; beyond it the connection is cut. Never by default: downloads and event streams take as long as they take. Tunnels (WebSockets) are not answers.",
        }),
        slowReaderMs: whole("ms", {
          from: SECOND_MS,
          to: HOUR_MS,
          initially: 2 * MINUTE_MS,
          why: "Over how long http.rates.answerBytesMin is judged. Long, because the kernel tells of what a client has read only in large steps.",
        }),
      }),
      compression: section(
        "Compressing the app's answers and static files, where the client says that it can read it.",
        {
          on: flag(false, {
            why: "Off by default: an answer that holds both a secret (a CSRF token) and something from the request can give the secret away by its compressed size (BREACH), and only you know whether yours do. What the app has compressed itself is never compressed again.",
          }),
          codings: z
            .array(z.enum(["zstd", "br", "gzip"]))
            .min(1)
            .max(3)
            .refine((list) => new Set(list).size === list.length)
            .default(["br", "zstd", "gzip"])
            .meta({
              description: "In order of preference, where the client likes several equally.",
              accepts: 'a list of "br", "zstd" and "gzip", each at most once',
            }),
          bodyBytesMin: whole("bytes", {
            from: 0,
            to: GIB,
            initially: KIB,
            why: "Shorter answers stay as they are: they fit into one packet either way. Where the length is not known in advance, any is compressed.",
          }),
          types: z.array(z.string().regex(MEDIA_RANGE)).max(256).default([]).meta({
            description:
              "Further content types. Text, JSON, XML, JavaScript, SVG, WebAssembly and fonts that are not compressed are known; `text/event-stream` is left alone unless it is named here, since each open stream would hold a compressor.",
            accepts: 'a list of types such as "application/x-tex" or "model/*"',
          }),
        },
      ),
      static: z.array(staticSchema()).max(64).default([]).meta({
        description:
          "Folders whose files B cells serve themselves, before the app. Only GET and HEAD; names that begin with a dot are not served, except below `/.well-known/`.",
        accepts: 'a list of objects such as { at: "/assets", folder: "public" }',
      }),
      rates: section(
        "How slow a client may be while it has something to send or to read. A little now and then keeps every other timeout from ringing: that is how slow attacks work.",
        {
          requestBytesMin: whole("bytes a second", {
            from: 0,
            to: MIB,
            initially: 256,
            zero: "as slow as it likes",
            why: "Of a request body, over 10 s in which the app would have taken more; below it the answer is 408. A tenth of the slowest telephone line.",
          }),
          answerBytesMin: whole("bytes a second", {
            from: 0,
            to: MIB,
            initially: 256,
            zero: "as slow as it likes, if it reads anything at all",
            why: "Of an answer, over timeouts.slowReaderMs in which there was more to read; below it the connection is cut.",
          }),
        },
      ),
      connections: section("What clients may hold. Each B cell counts its own.", {
        countMax: whole("connections", {
          from: 1,
          to: 1_000_000,
          initially: 50_000,
          why: "Connections of one B cell; more are closed unanswered. Each costs a few KB, and a file descriptor: mind `ulimit -n`.",
        }),
        perAddressMax: whole("connections", {
          from: 0,
          to: 1_000_000,
          initially: 1_024,
          zero: "as many as it likes",
          why: "Connections from one IPv4 address, or one IPv6 /64; more are closed unanswered. Many people share an address, but not many thousands. Trusted proxies are not counted.",
        }),
        bufferBytesMax: whole("bytes", {
          from: MIB,
          to: 64 * GIB,
          initially: 256 * MIB,
          why: "What one B cell holds for its clients: answers that they have not read yet, bodies kept for a retry. Beyond it those connections are cut that have not read for longest. A thousand clients that read nothing at all.",
        }),
      }),
      queue: section("Requests that wait because no drone can take them.", {
        countMax: whole("requests", {
          from: 0,
          to: 100_000,
          initially: 1_024,
          zero: "none waits",
          why: "Per B cell; more are refused with 503 and Retry-After.",
        }),
        msMax: whole("ms", {
          from: 100,
          to: 10 * MINUTE_MS,
          initially: 30 * SECOND_MS,
          why: "How long a request waits for a drone to be born or to come back; beyond it the answer is 503. As startup.listenTimeoutMs.",
        }),
        msTarget: whole("ms", {
          from: 10,
          to: 10 * MINUTE_MS,
          initially: 5 * SECOND_MS,
          why: "How long a request waits where all drones are full and the queue has not been empty for twice this; beyond it the answer is 503 with Retry-After, so that those who are served are served in time. Far above growth.queueMsTarget: growing comes first.",
        }),
      }),
      droneConcurrencyMax: whole("requests", {
        from: 1,
        to: 16_384,
        initially: 1_024,
        why: "Requests that a B cell gives to one drone at a time and that are not answered yet; event streams, downloads and WebSockets do not count once they have begun. Lower it for apps that do one thing at a time. A drone whose loop is saturated gets no more than it answers in a second, whatever stands here.",
      }),
      retry: section(
        "A request whose drone died before it answered is given to another if it is idempotent (GET, PUT, DELETE...) or had not begun. A POST that had begun is never run again: 502.",
        {
          countMax: whole("attempts", {
            from: 0,
            to: 10,
            initially: 2,
            zero: "never, unless others died with it",
            why: "After the first, where the request was alone with each drone that died: then it was the cause. A drone's death is shared by all requests that were with it, so that bystanders are tried again more often, sixteen times in all.",
          }),
          share: fraction({
            from: 0,
            to: 1,
            initially: 0.2,
            why: "Retries per request in the long run (a burst of 2,048 is free): when everything dies, sending everything again is what keeps it dead.",
          }),
          bodyBytesMax: whole("bytes", {
            from: 0,
            to: 16 * MIB,
            initially: 64 * KIB,
            zero: "requests with a body are not retried",
            why: "Of a request's body, kept until the answer begins: forms and API calls, not uploads. A longer body cannot be sent twice.",
          }),
        },
      ),
      sticky: oneOf(["off", "cookie", "address"], "off", {
        why: "Whether a client's requests go to the same drone: for apps that keep sessions in memory, and for socket.io. By a cookie of the organism's own, or by the client's address (an IPv6 client's /64). When the drone is gone another takes its place. Off spreads load best.",
      }),
      trustedProxies: ranges({
        why: "Whose X-Forwarded-For and Forwarded are believed. Nobody's by default: anybody can write a header.",
      }),
      announceClient: flag(false, {
        why: "Whether the app is told of clients in X-Forwarded-For, -Proto and -Host even where no trusted proxy stands in front: for apps that were behind nginx and look nowhere else. `req.socket` tells the same without it.",
      }),
    }),

    growth: section("When the organism grows and shrinks.", {
      utilizationToGrow: fraction({
        from: 0.1,
        to: 0.95,
        initially: 0.7,
        why: "Drones busier than this, on average over a window, secrete for more. At 0.7 waiting is still short, and there is time to grow.",
      }),
      utilizationToShrink: fraction({
        from: 0.01,
        to: 0.9,
        initially: 0.3,
        why: "Drones less busy than this are too many. Under half of utilizationToGrow: one drone at 0.7 that becomes two leaves each at 0.35, which must not look like too many.",
      }),
      queueMsTarget: whole("ms", {
        from: 1,
        to: MINUTE_MS,
        initially: 50,
        why: "Requests that wait longer than this for a drone ask for growth whatever the utilization.",
      }),
      stableWindowMs: whole("ms", {
        from: SECOND_MS,
        to: HOUR_MS,
        initially: MINUTE_MS,
        why: "Load is averaged over this, and a surplus must last as long. As in Knative.",
      }),
      panicWindowMs: whole("ms", {
        from: 500,
        to: 10 * MINUTE_MS,
        initially: 6 * SECOND_MS,
        why: "A burst is judged over this shorter window, and nothing shrinks while it lasts. As in Knative.",
      }),
      memoryShareMax: fraction({
        from: 0.1,
        to: 1,
        initially: 0.9,
        why: "With this share of the memory in use (of the cgroup's limit, or of the machine) nothing grows beyond its minimum: another process would be the one that has all of them killed.",
      }),
    }),
    hormones: section("Signals between kin.", {
      attenuation: fraction({
        from: 0.01,
        to: 0.5,
        initially: 0.25,
        why: "What is left of a hormone after each hop. With four daughters a cell 0.25 is the most that stays bounded; it also sets how far a signal reaches.",
      }),
      halfLifeMs: whole("ms", {
        from: 50,
        to: 10 * MINUTE_MS,
        initially: 2 * SECOND_MS,
        why: "How fast a hormone fades. Several times the birth of a cell, so that a need is still felt when help arrives, and soon forgotten after.",
      }),
    }),
    vote: section("When cells suspect each other. A cell dies by the votes of a majority only.", {
      hangMs: whole("ms", {
        from: SECOND_MS,
        to: HOUR_MS,
        initially: 10 * SECOND_MS,
        why: "How long a drone may compute without answering before it is accused. It gets no new requests at once; but apps do block their loop, and busy is not dead.",
      }),
      probeTimeoutMs: whole("ms", {
        from: 10,
        to: 200,
        initially: 100,
        why: "How long it waits before it asks others to ask. Twenty times what 99 of 100 answers between healthy cells take.",
      }),
    }),
    wear: section(
      "When a cell is worn out. A majority that sees it so has a replacement grown first; then it finishes what it has, and ends. Of each class one goes at a time, or a tenth.",
      {
        droneBytesMax: whole("bytes", {
          from: 0,
          to: 1_024 * GIB,
          initially: droneBytesMaxOf(facts),
          zero: "never for its memory",
          why: "Resident memory of a drone, seen by the others for ten seconds. By default its share of half of the memory when there are as many drones as may be by default, and 512 MiB at least: an app that needs no more at rest is never concerned.",
        }),
        cellBytesMax: whole("bytes", {
          from: 0,
          to: 1_024 * GIB,
          initially: GIB,
          zero: "never for its memory",
          why: "The same for cells that run none of your code. Twice what a B cell holds with all its clients' buffers full.",
        }),
        descriptorShareMax: fraction({
          from: 0.1,
          to: 1,
          initially: 0.8,
          why: "Open files and sockets, as a share of those that the process may have; the last fifth is what its replacement takes place in. Not for B cells, whose connections http.connections bounds. 1: never for its descriptors.",
        }),
        ageMsMax: whole("ms", {
          from: 0,
          to: 366 * DAY_MS,
          initially: 0,
          zero: "never for its age",
          why: "How old a cell may be. Off by default, because an app may hold what nobody else has; with a day or a week, leaks too slow to be noticed come to nothing.",
        }),
      },
    ),
    dormancy: section("Going back to being an egg.", {
      idleMs: whole("ms", {
        from: 0,
        to: 30 * DAY_MS,
        initially: 0,
        zero: "never",
        why: "Without a request for this long the organism shrinks to one small process and wakes with the next. An open WebSocket or unfinished answer counts as a request; what an app does of its own accord does not. Off by default: it saves memory at the price of the first visitor's wait.",
      }),
    }),
    membrane: section(
      "What drones may do, besides answering requests. Open by default, because unchanged apps do all of it.",
      {
        children: flag(true, {
          why: "Start other programs (`child_process`).",
        }),
        listen: flag(true, {
          why: "Open listening sockets of their own, besides those that the organism answers for.",
        }),
        connect: anyOr(rangeList(), {
          why: "Which addresses they may connect to: your database, and not the cloud's metadata service.",
          accepts: 'a list of addresses and CIDR ranges, or "any"',
        }),
        fsRead: anyOr(pathList("any"), {
          why: "Which files and folders they may read. The app's own folder is always among them.",
          accepts: 'a list of paths, or "any"',
        }),
        fsWrite: anyOr(pathList("any"), {
          why: "Which files and folders they may write.",
          accepts: 'a list of paths, or "any"',
        }),
        confine: flag(true, {
          why: "Whether drones are also made unable to do what is forbidden here (an app that tries gets an error). Without it neighbours only watch, and end a drone that does it: for apps that cannot live with Node's permission model.",
        }),
        addons: flag(true, {
          why: "Load native addons (sharp, bcrypt, Prisma's engine). Without them no code runs in a drone but JavaScript's.",
        }),
        cpuPercentMax: whole("percent", {
          from: 0,
          to: 100_000,
          initially: 0,
          zero: "no limit",
          why: "What a drone may use of processors over ten seconds, 100 being one. JavaScript answers on one, with some more for compression and garbage; several are worker threads, or somebody who mines.",
        }),
        canary: section(
          "Pages that are the same for everybody and at any time. B cells ask all drones for them; a drone that answers otherwise than most of at least three is asked by its neighbours too, and voted out by those who find the same.",
          {
            paths: z.array(canaryPath()).max(16).default([]).meta({
              description:
                "Safe GETs, with or without a query: no clock, no counter, no name of the drone or of the client in the answer, and no answer that one drone may have cached and another not.",
              accepts: 'a list of paths such as "/about"',
            }),
            headers: z
              .array(z.string().regex(FIELD_NAME).meta({ accepts: "the name of a header field" }))
              .max(16)
              .default(["content-type", "location"])
              .meta({
                description: "What is compared of an answer besides its status and its body.",
                accepts: "a list of names of header fields",
              }),
            host: z
              .string()
              .regex(/^[\x21-\x7e]{1,255}$/)
              .default("localhost")
              .meta({
                description: "The Host field of these requests.",
                accepts: "a host name, with a port or without",
              }),
            everyMs: whole("ms", {
              from: SECOND_MS,
              to: HOUR_MS,
              initially: 10 * SECOND_MS,
              why: "How often each B cell asks, while clients ask anything at all. One request to each drone for each path.",
            }),
          },
        ),
        user: nullable(account()).meta({
          description:
            "Whom drones are to be, where root starts cellws: they cannot read, signal or trace the other cells then, which hold the TLS keys. The app, its folder and envFile must be readable for that user.",
          accepts: "the name or number of a user, or null for the user who starts cellws",
        }),
        group: nullable(account()).meta({
          description: "Their group, if it is not the user's own.",
          accepts: "the name or number of a group, or null for the user's",
        }),
      },
    ),

    immune: section("Filtering of malicious requests, and the memory of those who sent them.", {
      mode: oneOf(["off", "detect", "block"], "block", {
        why: "Whether B cells look for attacks (detect: only report them; block: also refuse them).",
      }),
      builtin: z
        .union([z.literal("auto"), z.boolean()])
        .default("auto" as never)
        .meta({
          description: "Whether the built-in filters run; auto: where no rules are named.",
          accepts: 'true, false or "auto"',
        }),
      exclude: z
        .array(
          z.strictObject({
            filter: z.string().min(1).max(64).meta({
              description: "The built-in filter, by its name (docs/FILTERS.md) or id; * for all of them.",
              accepts: 'a name such as "sql-statement", an id, or "*"',
            }),
            path: nullable(z.string().max(2048)).meta({
              description: "Only on this path; * stands for anything in it.",
              accepts: 'a path such as "/wiki/*", or null for all',
            }),
            parameter: nullable(z.string().max(512)).meta({
              description:
                "Only in the parameter, cookie or uploaded file's field of this name, or in the value of this full name.",
              accepts: 'a name such as "comment", "json.text" or "REQUEST_HEADERS:Referer", or null for all',
            }),
          }),
        )
        .max(256)
        .default([])
        .meta({
          description: "What built-in filters do not look for, and where: for false alarms.",
          accepts: "a list of objects { filter, path, parameter }",
        }),
      rules: paths("files").meta({
        description:
          "SecLang rules, such as the OWASP Core Rule Set, in the order in which they are read. Of a folder all files that end in .conf.",
        accepts: 'a list of paths of files or folders, or of patterns such as "crs/rules/*.conf"',
      }),
      paranoia: whole("level", {
        from: 1,
        to: 4,
        initially: 1,
        why: "How much is suspected, as the Core Rule Set counts. 1 has few false alarms; from 3 on expect to write exclusions. What the rules themselves set goes before it.",
      }),
      threshold: section("The anomaly scores from which on it is blocked; a critical rule counts 5.", {
        inboundScoreMin: whole("points", {
          from: 1,
          to: 1_000,
          initially: 5,
          why: "Of a request. Raise it while you get to know a new rule set, and lower it again.",
        }),
        outboundScoreMin: whole("points", { from: 1, to: 1_000, initially: 4, why: "Of an answer." }),
      }),
      block: section("What a client is told whose request is blocked: this, and the request's id.", {
        status: z.int().min(400).max(599).default(403).meta({
          description: "For rules that name no status of their own.",
          accepts: "a status from 400 to 599",
          unit: "status",
        }),
      }),
      body: section("How much of a request's body is looked at, and held back until it has been.", {
        formBytesMax: whole("bytes", {
          from: 4 * KIB,
          to: 128 * MIB,
          initially: 13_107_200,
          why: "Of a form with files. Uploads are held in memory up to here.",
        }),
        textBytesMax: whole("bytes", {
          from: 4 * KIB,
          to: 16 * MIB,
          initially: 128 * KIB,
          why: "Of any other body, and of a form's fields without its files.",
        }),
        overLimit: oneOf(["partial", "reject"], "partial", {
          why: "What becomes of larger ones. partial: the beginning is looked at, and the rest goes on as it comes, unseen; reject: they are answered with 413, and nothing is unseen.",
        }),
      }),
      responses: flag(false, {
        why: "Whether answers are looked at too, for leaks such as error messages of databases. The first half megabyte of a text is held back until it has been.",
      }),
      reactions: functions("ImmuneReaction", {
        why: "Called with each incident: a source or a range that was sentenced, or would have been. Tell your pager, or your other servers.",
      }),
      filters: functions("ImmuneFilter", {
        why: "Filters of your own: each is given every request, and says pass, watch or block at once. One that throws, or takes more than 50 ms of the processor, blocks.",
      }),
      audit: nullable(path("output")).meta({
        description: "A file that gets one JSON line for each request that matched anything.",
        accepts: "the path of a file that may be created, or null for none",
      }),
      auditBytesMax: whole("bytes", {
        from: 64 * KIB,
        to: 16 * GIB,
        initially: 64 * MIB,
        why: "That file is turned over at this size, and three full ones are kept beside it: an attack must not fill the disk.",
      }),
      allow: ranges({ why: "Never banned, whatever they send: your office, your monitoring." }),
      dryRun: flag(false, { why: "Announce bans and reports, and carry out none." }),
      bans: section("Refusing those who attacked before.", {
        durationMs: whole("ms", {
          from: SECOND_MS,
          to: 30 * DAY_MS,
          initially: 4 * HOUR_MS,
          why: "The first ban; each further one is twice as long. Addresses change hands: longer would hit the next owner.",
        }),
        durationMsMax: whole("ms", {
          from: SECOND_MS,
          to: 365 * DAY_MS,
          initially: 7 * DAY_MS,
          why: "No ban is longer, however often it was earned.",
        }),
        ipv4PrefixBitsMin: whole("bits", {
          from: 16,
          to: 32,
          initially: 24,
          why: "The widest IPv4 range that may be banned: 24 is 256 addresses, commonly one network of one owner.",
        }),
        ipv6PrefixBitsMin: whole("bits", {
          from: 32,
          to: 128,
          initially: 48,
          why: "The widest IPv6 range that may be banned: 48 is what one customer is commonly given.",
        }),
        perMinuteMax: whole("bans", {
          from: 1,
          to: 10_000,
          initially: 120,
          why: "A breaker: a rule that has gone wrong bans quickly. What is beyond is told and not carried out; requests are filtered all the same.",
        }),
        innocentShareMax: fraction({
          from: 0,
          to: 1,
          initially: 0.01,
          why: "A breaker: no ban hits more than this share of the clients that were clean lately.",
        }),
        tarpitMs: whole("ms", {
          from: 0,
          to: MINUTE_MS,
          initially: 5 * SECOND_MS,
          why: "How long a connection, or behind a proxy a request, of somebody in the tarpit is held: who tries passwords gets through twelve a minute.",
        }),
        limitPerSecond: whole("requests a second", {
          from: 1,
          to: 10_000,
          initially: 10,
          why: "What each B cell takes of a source that is limited; beyond it the answer is 429. A person's browser needs less.",
        }),
        nftables: flag(false, {
          why: "Keep the bans as a set in the kernel too (`nft`), for the organism's ports: refused there, an attacker costs nothing. Needs the right to administer the network, as root has it. One T cell then stays, also in times of peace: it keeps the set.",
        }),
        loginPaths: z.array(z.string().regex(LOGIN_PATH)).max(64).default([]).meta({
          description:
            "Where passwords are tried: many failed answers (401, 403) there, to one source, are credential stuffing.",
          accepts: 'a list of paths such as "/login", without query',
        }),
        memoryBytesMax: whole("bytes", {
          from: MIB,
          to: 4 * GIB,
          initially: 64 * MIB,
          why: "The file in the state directory that remembers bans, statistics and reports never grows beyond this. 100,000 bans take about 16 MiB.",
        }),
      }),
      report: section("Telling others of attacks: the attacker's provider, a blocklist, your own desk.", {
        mode: oneOf(["off", "dry-run", "on"], "off", {
          why: "A report names an address to strangers, so it is off until asked for. In a dry run reports are made and kept, and none is sent: look at them for a week first. While it is on one T cell stays, also in times of peace: it sends what did not arrive again.",
        }),
        reporter: nullable(
          z.strictObject({
            org: z.string().min(1).max(200).meta({ description: "Who reports.", accepts: "a name" }),
            contact: z.string().regex(MAIL_ADDRESS).meta({
              description: "Whom receivers may ask.",
              accepts: "a mail address",
            }),
            domain: z
              .string()
              .refine(isHostName)
              .meta({ description: "Whose reports they are.", accepts: "a domain name" }),
          }),
        ).meta({
          description: "Is told in each report. Without it none is made.",
          accepts: "an object { org, contact, domain }, or null for nobody",
        }),
        webhook: nullable(
          z.strictObject({
            url: reportUrl(),
            secretFile: path("file").meta({
              description: "A file with the secret (whsec_...), one a line: while it is changed both sign.",
            }),
          }),
        ).meta({
          description: "Posts each report as XARF, signed as Standard Webhooks has it.",
          accepts: "an object { url, secretFile }, or null for none",
        }),
        mail: nullable(
          z.strictObject({
            server: z
              .string()
              .refine((host) => parseIpAddress(host) !== null || isHostName(host))
              .meta({ description: "The mail server.", accepts: "a host name or an IP address" }),
            serverPort: z.int().min(1).max(65_535).default(587).meta({ description: "Its port.", unit: "port" }),
            security: oneOf(["starttls", "tls", "none"], "starttls", {
              why: "How it is spoken to. starttls: encrypted before anything is said; tls: from the first byte (port 465); none: for a relay on this machine.",
            }),
            user: nullable(z.string().min(1).max(320)).meta({
              description: "Its login.",
              accepts: "a name, or null for no login",
            }),
            passwordFile: nullable(path("file")).meta({
              description: "A file that holds the password.",
              accepts: "the path of a file, or null for none",
            }),
            from: z.string().regex(MAIL_ADDRESS).meta({ description: "The sender.", accepts: "a mail address" }),
            to: z.string().regex(MAIL_ADDRESS).meta({ description: "The receiver.", accepts: "a mail address" }),
          }),
        ).meta({
          description: "Mails each report as multipart/report (RFC 5965) with the XARF document.",
          accepts: "an object { server, from, to, ... }, or null for none",
        }),
        abuseIpdb: nullable(
          z.strictObject({
            url: reportUrl(),
            keyFile: path("file").meta({ description: "A file that holds the API key." }),
          }),
        ).meta({
          description: "Posts each report as AbuseIPDB's report endpoint takes it.",
          accepts: "an object { url, keyFile }, or null for none",
        }),
      }),
    }),

    admin: section("The admin listener: metrics, health, status. Loopback only.", {
      port: nullable(z.int().min(0).max(65_535)).meta({
        description:
          "Its port. 0: any free one, written into the run folder. None by default: what is not asked for is not opened.",
        accepts: "a port number from 0 to 65535, or null for no admin listener",
        unit: "port",
      }),
    }),
    logs: section("The organism's log: one line an event.", {
      level: oneOf(["trace", "debug", "info", "warn", "error", "fatal"], "info", {
        why: "The least severe event that is written.",
      }),
      fileBytesMax: whole("bytes", {
        from: 64 * KIB,
        to: GIB,
        initially: 10 * MIB,
        why: "A log file is turned over at this size: logs never fill the disk.",
      }),
      files: whole("files", {
        from: 1,
        to: 100,
        initially: 3,
        why: "How many full log files are kept beside the current one. With fileBytesMax: 40 MiB in all.",
      }),
      events: nullable(path("folder")).meta({
        description:
          "Where each cell records every event that its mind is told, for `cellws replay`. Off by default: it costs some disk, and what an app says when it fails is in it.",
        accepts: "the path of a folder, or null for no such record",
      }),
      eventBytesMax: whole("bytes", {
        from: 4 * MIB,
        to: 64 * GIB,
        initially: 256 * MIB,
        why: "All event records together are no larger: the oldest go first. Five cells at rest fill this in about two hours.",
      }),
    }),
  });
}

export type DnaSchema = ReturnType<typeof dnaSchema>;

/** Beyond zod's own: what documentation and errors say of a key. Read through fields.ts. */
export interface FieldMeta {
  description?: string;
  /** What would be right, in words; where absent it is made from type, bounds and unit. */
  accepts?: string;
  /** The default in words, where it depends on facts. */
  initially?: string;
  unit?: Unit;
  /** What 0 means, where it means something of its own. */
  zero?: string;
  /** A path, to be made absolute. A file or folder must exist; files may be a pattern or a folder; an output may be created. */
  pathOf?: PathKind;
  /** An address or CIDR range. */
  range?: true;
  /** A list of functions; the name of their type in functions.ts. */
  functions?: string;
  /** Not optional in the DNA as such, but the command line or package.json may give it. */
  fromOutside?: true;
}

export type Unit =
  | "ms"
  | "seconds"
  | "percent"
  | "bytes"
  | "bytes a second"
  | "requests a second"
  | "cells"
  | "bans"
  | "connections"
  | "requests"
  | "attempts"
  | "files"
  | "bits"
  | "points"
  | "status"
  | "level"
  | "port"
  | "fraction";
export type PathKind = "file" | "folder" | "files" | "output" | "any";

/** An address, an address range, or what to say instead of it. */
export function judgeRange(text: string): { ok: true } | { ok: false; hint: string } {
  const range = parseIpRange(text);
  if (range === null)
    return { ok: false, hint: "Write an address (192.0.2.7) or a CIDR range (10.0.0.0/8, 2001:db8::/32)." };
  const network = networkOf(range);
  if (network.value === range.value) return { ok: true };
  const address = text.slice(0, text.indexOf("/"));
  return { ok: false, hint: `Write ${formatIpRange(network)} for the range, or ${address} for that one address.` };
}

// ---- Vocabulary: the kinds of keys. --------------------------------------------------------------------

/** It names a folder: no dots, no slashes, no two names that a case-blind file system takes for one. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** CELLWS_ is ours: through it the organism speaks to its cells. */
/** RFC 9110's token. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const ENV_NAME = /^(?!CELLWS_)[A-Za-z_][A-Za-z0-9_]*$/;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
/** What can be compared with the path of a request: no query, no fragment, nothing encoded. */
const LOGIN_PATH = /^\/[\w.~!$&'()*+,;=:@/-]{0,254}$/;
/** Printable and of one line: it becomes a header. */
const MAIL_ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;
/** A type, or all of one kind. */
const MEDIA_RANGE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]*)$/;
/** As it stands in a request, decoded: "/" or "/a/b", no empty or dot segments. */
const URL_PATH = /^\/(?:(?!\.{1,2}(?:\/|$))[^/?#%\\\p{Cc}]+(?:\/(?!\.{1,2}(?:\/|$))[^/?#%\\\p{Cc}]+)*)?$/u;
const FILE_NAME = /^(?!\.)[^/\\\p{Cc}]{1,255}$/u;
/** Visible ASCII with blanks in between. */
const FIELD_VALUE = /^[!-~](?:[ -~]{0,254}[!-~])?$/;
/** PATH_MAX on Linux. */
const PATH_LENGTH_MAX = 4_096;

function listenSchema() {
  return z.strictObject({
    port: z.int().min(0).max(65_535).default(8_080).meta({
      description: "0: any free one. Below 1024 the system may ask for privileges.",
      unit: "port",
    }),
    host: z
      .string()
      .refine((host) => parseIpAddress(host) !== null || isHostName(host))
      .default("127.0.0.1")
      .meta({
        description:
          "The address to listen on. By default nothing is reachable from other machines; `0.0.0.0` is every IPv4 address, `::` every address, and one of them is needed in a container.",
        accepts: 'an IP address or a host name, such as "127.0.0.1", "::" or "localhost"',
      }),
    tls: nullable(tlsSchema()).meta({
      description:
        "HTTPS with this key and certificate. Both files are looked at again every second; what replaces them is used for new connections, and old ones go on.",
      accepts: "an object { key, cert } of paths of PEM files, or null for plain HTTP",
    }),
    httpsRedirectPort: nullable(z.int().min(1).max(65_535)).meta({
      description:
        "Answers each plain request with a redirect to HTTPS at this port, except for `/.well-known/acme-challenge/`, which certificate authorities ask for without TLS. With 443 the URL names no port.",
      accepts: "the port of HTTPS as clients see it, from 1 to 65535, or null for no redirect",
      unit: "port",
    }),
  });
}

function staticSchema() {
  return z.strictObject({
    at: z.string().regex(URL_PATH).meta({
      description: "The path below which the folder appears. Of several that fit, the longest.",
      accepts: 'a path such as "/" or "/assets", without a slash at its end',
    }),
    folder: path("folder").meta({ description: "What lies in it can be read by everybody." }),
    index: nullable(z.string().regex(FILE_NAME)).default("index.html").meta({
      description: "The file that answers for a folder; null for none.",
      accepts: "the name of a file, or null",
    }),
    cacheControl: z.string().regex(FIELD_VALUE).default("public, max-age=0").meta({
      description:
        'The Cache-Control of its files. By default browsers ask each time and are told 304; for names that hold a hash of the content: "public, max-age=31536000, immutable".',
      accepts: "the value of a header field",
    }),
    precompressed: flag(false, {
      why: "Whether `app.js.br`, `app.js.zst` and `app.js.gz` are served instead of `app.js` to clients that can read them. Each costs a look at the disk.",
    }),
    symlinks: oneOf(["within", "follow"], "within", {
      why: "Whether a symbolic link may lead out of the folder. By default what it leads to counts as missing.",
    }),
    fallThrough: flag(true, {
      why: "Whether the app is asked for what is not in the folder. Otherwise the answer is 404.",
    }),
  });
}

function tlsSchema() {
  return z.strictObject({
    key: path("file").meta({ description: "The private key: a PEM file without passphrase." }),
    cert: path("file").meta({
      description:
        "The certificate, and after it the chain up to the root: a PEM file. Used where the client names no host, or one that no certificate is for.",
    }),
    also: z
      .array(
        z.strictObject({
          key: path("file").meta({ description: "As above." }),
          cert: path("file").meta({
            description: "As above. Its own names (wildcards too) say for which hosts it is used.",
          }),
        }),
      )
      .max(256)
      .default([])
      .meta({
        description:
          "Further certificates, chosen by the host that the client names (SNI). Where several fit, the exact name goes before the wildcard, then the earlier before the later.",
        accepts: "a list of objects { key, cert }",
      }),
    minVersion: oneOf(["TLSv1.2", "TLSv1.3"], "TLSv1.2", {
      why: "Older clients are turned away. Versions before 1.2 are broken and cannot be had.",
    }),
    http2: flag(true, {
      why: "Offer HTTP/2 (ALPN). The app sees HTTP/1.1 either way.",
    }),
    hsts: section("Telling browsers to come by HTTPS only (Strict-Transport-Security).", {
      maxAgeSeconds: whole("seconds", {
        from: 0,
        to: 10 * 365 * 24 * 3_600,
        initially: 0,
        zero: "the header is not sent",
        why: "How long a browser keeps to HTTPS after each answer. Off by default, because it cannot be taken back: try 300 first, then 31_536_000 (a year). An app's own header goes before it.",
      }),
      includeSubDomains: flag(false, { why: "For all subdomains, too: only when each of them has HTTPS." }),
      preload: flag(false, {
        why: "Agrees to be built into browsers, which takes months to undo. Needs includeSubDomains and a year.",
      }),
    }),
  });
}

/** Digits and dots alone are a mistyped address, not a name: 127.0.0.256 must not go to the resolver. */
function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && !/^[\d.]+$/.test(text);
}

/**
 * How many cells of a class. Where only `min` is given, `max` follows it upwards: whether { min: 4 } is
 * right must not depend on how many CPUs the machine has.
 */
function population(what: string, bounds: { min: number; to: number; max: number; maxInitially: string; why: string }) {
  return z
    .strictObject({
      min: whole("cells", {
        from: bounds.min,
        to: bounds.to,
        initially: bounds.min,
        why:
          bounds.min === 0
            ? "Never fewer."
            : "Never fewer. One neuron, one B cell and one drone are the first majority of three.",
      }),
      max: z
        .int()
        .min(Math.max(1, bounds.min))
        .max(bounds.to)
        .optional()
        .meta({
          description: `Never more. ${bounds.why}`,
          initially: `${bounds.maxInitially}, or min if that is more`,
          unit: "cells",
        }),
    })
    .transform(({ min, max }) => ({ min, max: max ?? Math.max(min, bounds.max) }))
    .prefault({})
    .meta({ description: what });
}

function dronesMaxOf(facts: DnaFacts): number {
  const byMemory = Math.floor(facts.memoryBytes / 2 / (256 * MIB));
  return Math.min(1_024, Math.max(2, Math.min(facts.cpuCount, byMemory)));
}

function droneBytesMaxOf(facts: DnaFacts): number {
  return Math.max(512 * MIB, Math.floor(facts.memoryBytes / 2 / dronesMaxOf(facts) / MIB) * MIB);
}

/** A group of keys, all of them optional. */
function section<Shape extends z.ZodRawShape>(what: string, shape: Shape) {
  // Prefault and not default: an absent section is read as {}, so that its keys get their own defaults.
  return (z.strictObject(shape) as z.ZodObject<Shape, z.core.$strict>)
    .prefault({} as never)
    .meta({ description: what });
}

function whole(unit: Unit, range: { from: number; to: number; initially: number; why: string; zero?: string }) {
  const { from, to, initially, why, zero } = range;
  const meta: FieldMeta = { description: why, unit, ...(zero === undefined ? {} : { zero }) };
  return z
    .int()
    .min(from)
    .max(to)
    .default(initially)
    .meta({ ...meta });
}

function fraction(range: { from: number; to: number; initially: number; why: string }) {
  const { from, to, initially, why } = range;
  return z.number().min(from).max(to).default(initially).meta({ description: why, unit: "fraction" });
}

function flag(initially: boolean, { why }: { why: string }) {
  return z.boolean().default(initially).meta({ description: why });
}

function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
  initially: Values[number],
  { why }: { why: string },
) {
  return z
    .enum(values)
    .default(initially as never)
    .meta({ description: why });
}

/** Reports and keys go over it: plain HTTP only to this machine. */
function reportUrl() {
  return z
    .string()
    .max(2_048)
    .refine(
      (text) =>
        /^https:\/\/[^/\s@]+/.test(text) || /^http:\/\/(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?:[:/]|$)/.test(text),
    )
    .meta({ description: "Where to.", accepts: "an https URL, or an http URL of this machine" });
}

/** What may be absent is null in the resolved DNA, so that each key is there and JSON can carry it. */
function nullable<Inner extends z.ZodType>(inner: Inner) {
  return inner.nullable().default(null as never);
}

/** An origin-form target, as it goes over the wire. */
function canaryPath() {
  return z
    .string()
    .regex(/^\/[\x21-\x7e]{0,2047}$/)
    .meta({ accepts: 'a path such as "/about", as it is sent: without spaces, from "/" on' });
}

/** A user or a group; whether there is one is seen where the organism is started. */
function account() {
  return z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/);
}

function path(kind: PathKind) {
  return z
    .string()
    .min(1)
    .max(PATH_LENGTH_MAX)
    .refine((text) => !text.includes("\0"))
    .meta({ pathOf: kind });
}

function paths(kind: PathKind) {
  return pathList(kind).default([]);
}

function pathList(kind: PathKind) {
  return z.array(path(kind)).max(1_024);
}

/** Written as functions; references to them when they come here (plain.ts). */
function functions(type: string, { why }: { why: string }) {
  const reference = z.strictObject({ file: z.string().max(PATH_LENGTH_MAX), name: z.string().max(100) });
  return z
    .array(reference)
    .max(32)
    .default([])
    .meta({ description: why, accepts: "a list of functions, in dna.ts or dna.js", functions: type });
}

function ranges({ why }: { why: string }) {
  return rangeList().default([]).meta({ description: why, accepts: "a list of addresses and CIDR ranges" });
}

function rangeList() {
  const range = z
    .string()
    .refine((text) => judgeRange(text).ok)
    .meta({ range: true, accepts: "an IP address or a CIDR range" });
  return z.array(range).max(1_024);
}

function anyOr<Inner extends z.ZodType>(inner: Inner, { why, accepts }: { why: string; accepts: string }) {
  return z
    .union([z.literal("any"), inner])
    .default("any" as never)
    .meta({ description: why, accepts });
}
