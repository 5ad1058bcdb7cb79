// Whole situations through the pure ledger and the sentencer, drawn from a seed: who is banned, and who must not be.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BanBody } from "../../../src/core/record.ts";
import { defaultBanPolicy, type BanPolicy } from "../../../src/immune/bans/policy.ts";
import { Sentencer, type Decision } from "../../../src/immune/bans/sentencing.ts";
import type { AttackClass } from "../../../src/immune/ledger/attack-class.ts";
import { Ledger } from "../../../src/immune/ledger/ledger.ts";
import { parseIpRange } from "../../../src/lib/ip-range.ts";
import { holds } from "../../../src/immune/bans/policy.ts";
import { prngBelow, prngFrom, type Prng } from "../../../src/lib/prng.ts";

const seeds = [1, 2, 20_261_122];

/** Three T cells that tell each other what they saw once a second, and bans as soon as they are passed. */
class World {
  readonly bans: BanBody[] = [];
  readonly watched = new Set<string>();
  readonly withheld: Decision[] = [];
  nowMs = 1_000_000;
  readonly #wallBeganMs = 1_800_000_000_000;
  readonly #tCells;
  readonly #told = new Map<Ledger, number>();
  #prng: Prng;
  #serial = 0;

  constructor(seed: number, policy: Partial<BanPolicy> = {}, tCells = 3) {
    this.#prng = prngFrom(seed, 7);
    this.#tCells = Array.from({ length: tCells }, (_, i) => ({
      ledger: new Ledger({ owner: `t${i}`, salt: `seed ${seed}` }),
      sentencer: new Sentencer({ ...defaultBanPolicy, ...policy }, prngFrom(seed, 100 + i)),
    }));
  }

  below(limit: number): number {
    const [value, next] = prngBelow(this.#prng, limit);
    this.#prng = next;
    return value;
  }

  chance(share: number): boolean {
    return this.below(1_000_000) < share * 1_000_000;
  }

  get wallMs(): number {
    return this.#wallBeganMs + this.nowMs;
  }

  isBanned(client: string): boolean {
    const address = parseIpRange(client)!;
    return this.bans.some(
      ({ range, action, untilMs }) => action === "ban" && untilMs > this.wallMs && holds(parseIpRange(range)!, address),
    );
  }

  attack(client: string, attackClass: AttackClass = "sql-injection", score = 5): void {
    const id = `m${(this.#serial += 1)}`;
    const mark = { id, client, attackClass, rules: [1], score, cell: "b", atMs: this.nowMs };
    this.#see(client, (ledger) => void ledger.observeMark(mark));
  }

  visit(client: string, print: number, path = this.below(40)): void {
    const sighting = {
      kind: "clean",
      client,
      atMs: this.nowMs,
      count: 1,
      print: mixed(print),
      path: mixed(path),
    } as const;
    this.#see(client, (ledger) => void ledger.observe(sighting));
  }

  miss(client: string, path: number): void {
    const sighting = { kind: "missing", client, atMs: this.nowMs, path: mixed(path) } as const;
    this.#see(client, (ledger) => void ledger.observe(sighting));
  }

  login(client: string, failed: boolean): void {
    this.#see(client, (ledger) => void ledger.observe({ kind: "login", client, atMs: this.nowMs, failed }));
  }

  pass(ms: number): void {
    const before = Math.floor(this.nowMs / 1_000);
    this.nowMs += ms;
    if (Math.floor(this.nowMs / 1_000) !== before) this.#tellEachOther();
  }

  #see(client: string, look: (ledger: Ledger) => void): void {
    // A banned client is refused at accept: nothing more is seen of it.
    if (this.isBanned(client)) return;
    const { ledger, sentencer } = this.#tCells[this.below(this.#tCells.length)]!;
    look(ledger);
    for (const decision of sentencer.consider(ledger, client, this)) {
      if (decision.kind === "withheld") this.withheld.push(decision);
      else {
        if (decision.body.action === "watch") this.watched.add(decision.body.range);
        this.bans.push(decision.body);
        for (const other of this.#tCells) if (other.sentencer !== sentencer) other.sentencer.learn(decision.body, this);
      }
    }
  }

  #tellEachOther(): void {
    for (const { ledger } of this.#tCells) {
      const news = ledger.delta(this.#told.get(ledger) ?? 0);
      this.#told.set(ledger, ledger.version);
      for (const other of this.#tCells) if (other.ledger !== ledger) other.ledger.merge(news);
    }
  }

  of(action: BanBody["action"]): string[] {
    return this.bans.filter((body) => body.action === action).map(({ range }) => range);
  }
}

function mixed(value: number): number {
  let hash = Math.imul(value + 1, 0x9e37_79b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Ten thousand clients with somebody among them; `badShare` of all requests are attacks. */
function crowd(
  world: World,
  { addresses, badShare, requests }: { addresses: string[]; badShare: number; requests: number },
) {
  for (let i = 0; i < requests; i += 1) {
    const client = world.below(10_000);
    const address = addresses[client % addresses.length]!;
    if (world.chance(badShare)) world.attack(address, world.chance(0.5) ? "sql-injection" : "cross-site-scripting");
    else {
      const kind = world.below(100);
      if (kind < 2) world.miss(address, world.below(200));
      else if (kind < 4) world.login(address, world.chance(0.2));
      else world.visit(address, client);
    }
    world.pass(5);
  }
}

const lastByte = (network: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${network}.${i}`);

for (const seed of seeds) {
  describe(`seed ${seed}`, () => {
    for (const [what, addresses] of [
      ["an office of 10,000 clients behind one address", ["203.0.113.5"]],
      ["a carrier's NAT of 10,000 clients behind 64 addresses of one network", lastByte("203.0.113", 64)],
      ["a carrier's NAT of 10,000 clients that fills its network", lastByte("203.0.113", 256)],
    ] as const) {
      test(`${what}, one request in ten an attack: nobody is banned, and it is watched`, () => {
        // The filter refuses the attacks one by one meanwhile.
        const world = new World(seed);
        crowd(world, { addresses: [...addresses], badShare: 0.095, requests: 20_000 });
        assert.deepEqual(world.of("ban"), []);
        assert.deepEqual(world.of("tarpit"), []);
        assert.deepEqual(world.of("rate-limit"), []);
        if (addresses.length < 200) assert.ok(world.watched.size > 0);
      });
    }

    test("a botnet that fills a /24, each bot quiet: the /24 is banned, and its neighbours are not", () => {
      const world = new World(seed);
      const neighbours = lastByte("198.51.101", 50);
      for (let i = 0; i < 3_000; i += 1) {
        world.attack(`198.51.100.${world.below(256)}`);
        world.visit(neighbours[world.below(50)]!, world.below(50));
        world.pass(20);
      }
      assert.deepEqual(new Set(world.of("ban").filter((range) => range.includes("/"))), new Set(["198.51.100.0/24"]));
      assert.ok(world.of("ban").length <= 3, world.of("ban").join(" "));
      assert.ok(!neighbours.some((address) => world.isBanned(address)));
    });

    test("one attacker in a /24 of well-behaved people: the one address is banned", () => {
      const world = new World(seed);
      for (let i = 0; i < 4_000; i += 1) {
        world.attack("198.51.100.66");
        // Everybody trips over a rule once in a hundred requests.
        const neighbour = world.below(60);
        if (world.chance(0.01)) world.attack(`198.51.100.${neighbour}`, "protocol", 2);
        else world.visit(`198.51.100.${neighbour}`, neighbour);
        world.pass(50);
      }
      assert.deepEqual(world.of("ban"), ["198.51.100.66"]);
    });

    test("a botnet over a /48, each /64 used once: the /48 is banned, once", () => {
      const world = new World(seed);
      for (let i = 0; i < 3_000; i += 1) {
        const subnet = (1 + world.below(65_535)).toString(16);
        world.attack(`2001:db8:77:${subnet}::${(1 + world.below(65_535)).toString(16)}`);
        world.visit(`2001:db8:78:${subnet}::1`, i % 100);
        world.pass(20);
      }
      assert.deepEqual(world.of("ban"), ["2001:db8:77::/48"]);
    });

    test("a botnet within one /56 of a /48: the /56 is banned and not the /48", () => {
      const world = new World(seed);
      for (let i = 0; i < 2_000; i += 1) {
        world.attack(`2001:db8:77:5${(16 + world.below(240)).toString(16)}::1`);
        world.pass(20);
      }
      const wide = world.of("ban").filter((range) => !range.endsWith("/64"));
      assert.deepEqual(wide, ["2001:db8:77:500::/56"]);
    });

    test("an attacker who takes another address of his /64 for each request: the /64 is banned at the fifth or so", () => {
      const world = new World(seed);
      let seen = 0;
      const address = (): string =>
        `2001:db8:5:6:${[0, 0, 0, 0].map(() => (1 + world.below(65_535)).toString(16)).join(":")}`;
      while (!world.isBanned("2001:db8:5:6::1")) {
        world.attack(address());
        world.pass(300);
        seen += 1;
        assert.ok(seen <= 20, "not caught");
      }
      assert.deepEqual(world.of("ban"), ["2001:db8:5:6::/64"]);
      assert.ok(world.isBanned(address()));
    });

    test("an attacker who hides each attack among twenty harmless requests: banned, for nobody else is there", () => {
      const world = new World(seed);
      for (let i = 0; i < 1_000; i += 1) {
        if (i % 20 === 0) world.attack("192.0.2.44");
        else world.visit("192.0.2.44", 1);
        world.pass(100);
      }
      assert.deepEqual(world.of("ban"), ["192.0.2.44"]);
    });

    test("a scanner for missing paths is banned; a visitor with one broken link is not", () => {
      const world = new World(seed);
      for (let i = 0; i < 300; i += 1) {
        world.miss("192.0.2.80", i);
        world.miss("192.0.2.81", 1);
        world.visit("192.0.2.81", 81);
        world.pass(200);
      }
      assert.deepEqual(world.of("ban"), ["192.0.2.80"]);
    });

    test("credential stuffing is slowed down, then banned; an office's logins in the morning are neither", () => {
      const world = new World(seed);
      for (let i = 0; i < 400; i += 1) {
        world.login("192.0.2.90", true);
        // One login in six fails, and then people read.
        if (world.chance(0.3)) world.login("203.0.113.9", world.chance(1 / 6));
        else world.visit("203.0.113.9", world.below(200));
        world.pass(500);
      }
      assert.deepEqual(world.of("tarpit"), ["192.0.2.90"]);
      assert.deepEqual(world.of("ban"), ["192.0.2.90"]);
    });

    test("a flood by one client is limited and not banned; as many requests of an office's are neither", () => {
      const world = new World(seed);
      for (let i = 0; i < 6_000; i += 1) {
        world.visit("192.0.2.60", 1);
        world.visit("203.0.113.7", world.below(1_000));
        world.pass(3);
      }
      assert.deepEqual(world.of("rate-limit"), ["192.0.2.60"]);
      assert.deepEqual(world.of("ban"), []);
    });

    test("the same seed tells the same story", () => {
      const story = (): unknown => {
        const world = new World(seed);
        crowd(world, { addresses: lastByte("203.0.113", 64), badShare: 0.3, requests: 2_000 });
        return [world.bans, world.withheld];
      };
      assert.deepEqual(story(), story());
    });
  });
}

test("a crowd where a third of all requests are attacks is banned: the share decides, and not the size", () => {
  const world = new World(1);
  crowd(world, { addresses: ["203.0.113.5"], badShare: 0.34, requests: 5_000 });
  assert.deepEqual(world.of("ban"), ["203.0.113.5"]);
});
