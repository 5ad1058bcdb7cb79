/**
 * What ties two keys together: minimum and maximum, growth and shrinking, listeners that would collide.
 *
 * Each rule gets a DNA in which every single key is already sound, and names all the keys that it looked
 * at: when one of them was itself mistaken, its conflict would only be a second complaint about one slip.
 */
import { formatIpRange, parseIpAddress } from "../lib/ip-range.ts";
import type { Dna } from "./dna.ts";
import { numberText } from "./fields.ts";
import { formatKeyPath, type KeyPath } from "./key-path.ts";

export interface Conflict {
  /** The key to change, most likely. */
  path: KeyPath;
  /** The others that take part. */
  others: readonly KeyPath[];
  message: string;
  found: string;
  expected: string;
  hint: string;
}

export function findConflicts(dna: Dna): Conflict[] {
  return rules.flatMap((rule) => rule(dna));
}

type Rule = (dna: Dna) => Conflict[];

const rules: readonly Rule[] = [
  ...(["neuron", "bCell", "tCell", "drone"] as const).map(
    (cellClass): Rule =>
      (dna) =>
        notAbove(["cells", cellClass, "min"], ["cells", cellClass, "max"], {
          values: dna.cells[cellClass],
          hint: "Lower the one or raise the other; without max it follows min by itself.",
        }),
  ),
  ({ restarts }) =>
    notAbove(["restarts", "backoffMsMin"], ["restarts", "backoffMsMax"], {
      values: { min: restarts.backoffMsMin, max: restarts.backoffMsMax },
      hint: "The wait begins with the first and grows to the second.",
    }),
  ({ immune: { bans } }) =>
    notAbove(["immune", "bans", "durationMs"], ["immune", "bans", "durationMsMax"], {
      values: { min: bans.durationMs, max: bans.durationMsMax },
      hint: "The first ban cannot be longer than the longest.",
    }),
  reportsHaveAReporter,
  growthHasHysteresis,
  panicIsShort,
  hormonesStayBounded,
  listenersDoNotCollide,
  adminDoesNotCollide,
  redirectsAreForPlainListeners,
  preloadIsEarned,
];

function reportsHaveAReporter({ immune: { report } }: Dna): Conflict[] {
  if (report.mode === "off") return [];
  const channels = ["webhook", "mail", "abuseIpdb"] as const;
  const others: KeyPath[] = [["immune", "report", "mode"]];
  const found = `not set, with immune.report.mode at ${JSON.stringify(report.mode)}`;
  if (report.reporter === null) {
    return [
      {
        path: ["immune", "report", "reporter"],
        others,
        message: "immune.report.reporter is missing",
        found,
        expected: "who reports: { org, contact, domain }",
        hint: "Receivers want to know who tells them, and whom to ask.",
      },
    ];
  }
  if (channels.some((channel) => report[channel] !== null)) return [];
  return [
    {
      path: ["immune", "report", "webhook"],
      others: [...others, ["immune", "report", "mail"], ["immune", "report", "abuseIpdb"]],
      message: "immune.report names no receiver",
      found,
      expected: "immune.report.webhook, mail or abuseIpdb",
      hint: "A dry run needs them as well: it shows what each would get.",
    },
  ];
}

function notAbove(
  low: KeyPath,
  high: KeyPath,
  { values, hint }: { values: { min: number; max: number }; hint: string },
): Conflict[] {
  if (values.min <= values.max) return [];
  return [
    {
      path: low,
      others: [high],
      message: `${formatKeyPath(low)} is more than ${formatKeyPath(high)}`,
      found: `${numberText(values.min)}, with ${formatKeyPath(high)} at ${numberText(values.max)}`,
      expected: `at most ${numberText(values.max)}`,
      hint,
    },
  ];
}

/**
 * One drone at the growing mark becomes two at half of it, and those must not look like too many: else it
 * would grow and shrink for ever. With more drones each birth changes less, so one is the hardest case.
 */
function growthHasHysteresis({ growth }: Dna): Conflict[] {
  const limit = growth.utilizationToGrow / 2;
  if (growth.utilizationToShrink < limit) return [];
  return [
    {
      path: ["growth", "utilizationToShrink"],
      others: [["growth", "utilizationToGrow"]],
      message: "growth.utilizationToShrink is too near to growth.utilizationToGrow",
      found: `${growth.utilizationToShrink}, with growth.utilizationToGrow at ${growth.utilizationToGrow}`,
      expected: `less than half of growth.utilizationToGrow: under ${limit}`,
      hint: "One drone that becomes two leaves each with half the load, which must not look like too many drones: it would grow and shrink for ever.",
    },
  ];
}

function panicIsShort({ growth }: Dna): Conflict[] {
  if (growth.panicWindowMs < growth.stableWindowMs) return [];
  return [
    {
      path: ["growth", "panicWindowMs"],
      others: [["growth", "stableWindowMs"]],
      message: "growth.panicWindowMs is not shorter than growth.stableWindowMs",
      found: `${numberText(growth.panicWindowMs)}, with growth.stableWindowMs at ${numberText(growth.stableWindowMs)}`,
      expected: `less than ${numberText(growth.stableWindowMs)}`,
      hint: "The short window is there to see a burst that the long one hides; a tenth of it is usual.",
    },
  ];
}

/** A wave passed on to D daughters at strength alpha each carries alpha * D onwards: above 1 it would grow as it goes. */
function hormonesStayBounded({ hormones, cells }: Dna): Conflict[] {
  if (hormones.attenuation * cells.daughtersMax <= 1) return [];
  return [
    {
      path: ["hormones", "attenuation"],
      others: [["cells", "daughtersMax"]],
      message: "hormones.attenuation is too strong for so many daughters",
      found: `${hormones.attenuation}, with cells.daughtersMax at ${cells.daughtersMax}`,
      expected: `at most 1 / cells.daughtersMax: ${floorTo3(1 / cells.daughtersMax)}`,
      hint: "A signal that is passed on to each daughter must not grow on its way.",
    },
  ];
}

function floorTo3(value: number): number {
  return Math.floor(value * 1_000) / 1_000;
}

function listenersDoNotCollide({ listen }: Dna): Conflict[] {
  return listen.flatMap((listener, index) => {
    const earlier = listen.slice(0, index).findIndex((other) => collide(listener, other));
    if (earlier === -1) return [];
    return [
      {
        path: ["listen", index, "port"],
        others: [
          ["listen", index, "host"],
          ["listen", earlier, "port"],
          ["listen", earlier, "host"],
        ],
        message: `listen[${index}] would listen where listen[${earlier}] does`,
        found: `${placeText(listener)}, with listen[${earlier}] at ${placeText(listen[earlier]!)}`,
        expected: "another port, or hosts that do not overlap",
        hint: "0.0.0.0 takes in every IPv4 address, :: every address.",
      },
    ];
  });
}

function adminDoesNotCollide({ admin, listen }: Dna): Conflict[] {
  const { port } = admin;
  if (port === null) return [];
  const index = listen.findIndex((listener) => collide(listener, { port, host: "127.0.0.1" }));
  if (index === -1) return [];
  return [
    {
      path: ["admin", "port"],
      others: [
        ["listen", index, "port"],
        ["listen", index, "host"],
      ],
      message: `admin.port is where listen[${index}] listens`,
      found: `${port}, with listen[${index}] at ${placeText(listen[index]!)}`,
      expected: "another port, or 0 for any free one",
      hint: "The admin listener is on 127.0.0.1, away from the app's visitors.",
    },
  ];
}

function redirectsAreForPlainListeners({ listen }: Dna): Conflict[] {
  return listen.flatMap(({ tls, httpsRedirectPort }, index) =>
    tls === null || httpsRedirectPort === null
      ? []
      : [
          {
            path: ["listen", index, "httpsRedirectPort"],
            others: [["listen", index, "tls"]],
            message: `listen[${index}] speaks TLS and redirects to it as well`,
            found: `${httpsRedirectPort}, with listen[${index}].tls`,
            expected: "the one or the other",
            hint: "The redirect belongs to a listener of its own, such as { port: 80, httpsRedirectPort: 443 }.",
          },
        ],
  );
}

/** What the browsers' list asks for (hstspreload.org); without it the word is ignored, and nobody is told. */
const PRELOAD_SECONDS_MIN = 31_536_000;

function preloadIsEarned({ listen }: Dna): Conflict[] {
  return listen.flatMap(({ tls }, index) => {
    if (tls === null || !tls.hsts.preload) return [];
    const { maxAgeSeconds, includeSubDomains } = tls.hsts;
    if (includeSubDomains && maxAgeSeconds >= PRELOAD_SECONDS_MIN) return [];
    return [
      {
        path: ["listen", index, "tls", "hsts", "preload"],
        others: [
          ["listen", index, "tls", "hsts", "includeSubDomains"],
          ["listen", index, "tls", "hsts", "maxAgeSeconds"],
        ],
        message: `listen[${index}].tls.hsts.preload asks for more than the rest of hsts gives`,
        found: `true, with maxAgeSeconds at ${numberText(maxAgeSeconds)} and includeSubDomains ${includeSubDomains}`,
        expected: `includeSubDomains, and maxAgeSeconds of at least ${numberText(PRELOAD_SECONDS_MIN)}`,
        hint: "Leave preload out until both have proved themselves.",
      },
    ];
  });
}

interface Place {
  host: string;
  port: number;
}

/** Port 0 is any free port: such listeners never collide. */
function collide(one: Place, other: Place): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const hosts = [canonicalHost(one.host), canonicalHost(other.host)];
  if (hosts[0] === hosts[1] || hosts.includes("::")) return true;
  // A name may resolve to either family; in doubt it lies within "every IPv4 address".
  return hosts.includes("0.0.0.0") && hosts.every((host) => !host.includes(":"));
}

/** One spelling for one address. A name is taken as it is: to look it up is the system's business. */
function canonicalHost(host: string): string {
  const address = parseIpAddress(host);
  return address === null ? host.toLowerCase() : formatIpRange(address);
}

function placeText({ host, port }: Place): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
