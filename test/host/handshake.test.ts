import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { CellBody, OrganismRecord } from "../../src/core/record.ts";
import type { Credentials } from "../../src/host/handshake.ts";
import { beTakenIn, greet, receive } from "../../src/host/handshake.ts";
import type { Acquaintance, KeyPair } from "../../src/host/identity.ts";
import {
  isSignedBy,
  makeKeyPair,
  organismId,
  seals,
  sign,
  signRecord,
  whyNotBelieved,
} from "../../src/host/identity.ts";
import type { LinkFault } from "../../src/host/kin-link.ts";
import { KinLink } from "../../src/host/kin-link.ts";
import { LineReader } from "../../src/host/line-reader.ts";
import { whyNotMet } from "../../src/wire/belief.ts";
import type { LinkPurpose } from "../../src/wire/control.ts";

/** A small family: an egg and its daughter, with everything signed as in life. */
function family(): { egg: Cell; daughter: Cell; organism: string } {
  const eggKeys = makeKeyPair();
  const organism = organismId(eggKeys.publicKey);
  const egg = certified(organism, facts("egg", null, eggKeys), eggKeys, eggKeys);
  const daughterKeys = makeKeyPair();
  const daughter = certified(organism, facts("daughter", "egg", daughterKeys), daughterKeys, eggKeys);
  return { egg, daughter, organism };
}

interface Cell {
  keys: KeyPair;
  record: OrganismRecord<CellBody>;
}

function facts(id: string, mother: string | null, { publicKey }: KeyPair): CellBody {
  const lineage = mother === null ? [] : [mother];
  const born = { generation: lineage.length, birthOrder: lineage.length, publicKey, bornAt: "", revision: "first" };
  const process_ = { pid: process.pid, startTicks: 0 };
  return {
    kind: "cell",
    id,
    mother,
    lineage,
    ...born,
    ...process_,
    certificate: "",
    class: "stem",
    state: "gestating",
  };
}

function certified(organism: string, body: CellBody, keys: KeyPair, motherKeys: KeyPair): Cell {
  const origin = body.mother ?? body.id;
  const unsigned = { key: `cell/${body.id}`, version: 0, origin, body };
  return { keys, record: signRecord(organism, unsigned, motherKeys.privateKey) as OrganismRecord<CellBody> };
}

function acquaintance(organism: string, known: readonly Cell[], runs = true): Acquaintance {
  const cells = new Map(known.map((cell) => [cell.record.body.id, cell.record.body]));
  return {
    organism,
    cell: (id) => cells.get(id),
    held: () => undefined,
    ownerOfProcess: () => undefined,
    runs: () => runs,
    hasDna: () => false,
  };
}

function credentials(
  organism: string,
  { keys, record }: Cell,
  known: readonly Cell[],
  ancestry: readonly Cell[] = [],
): Credentials {
  return {
    organism,
    id: record.body.id,
    privateKey: keys.privateKey,
    record: () => record,
    ancestry: () => ancestry.map((cell) => cell.record),
    whyNotMet: (theirs, shown) => whyNotMet(theirs, shown, acquaintance(organism, known), seals),
  };
}

describe("a record", () => {
  const { egg, daughter, organism } = family();
  const believe = (record: OrganismRecord, known: readonly Cell[], runs = true): string | null =>
    whyNotBelieved(record, acquaintance(organism, known, runs));
  const resigned = (change: Partial<CellBody>, by: Cell, origin: string): OrganismRecord => {
    const body = { ...daughter.record.body, ...change };
    return signRecord(organism, { key: `cell/${body.id}`, version: 1, origin, body }, by.keys.privateKey);
  };

  test("of a birth is believed from whoever's mother is known", () => {
    assert.equal(believe(daughter.record, [egg]), null);
    assert.equal(believe(egg.record, []), null);
  });

  test("of a birth is not believed without its mother, nor an egg of another organism", () => {
    assert.equal(believe(daughter.record, []), "its mother is not known");
    assert.equal(believe(family().egg.record, []), "not this organism's egg");
  });

  test("of what a cell has become is believed from itself alone", () => {
    assert.equal(believe(resigned({ class: "drone", state: "live" }, daughter, "daughter"), [egg, daughter]), null);
    assert.equal(
      believe(resigned({ class: "drone", state: "live" }, egg, "egg"), [egg, daughter]),
      "told of another cell",
    );
  });

  test("is not believed once anything of the birth was changed, also by the cell itself", () => {
    for (const change of [{ pid: 1 }, { birthOrder: 0 }, { lineage: [] }, { mother: null }] as const) {
      const wrong = believe(resigned({ ...change, state: "live" }, daughter, "daughter"), [egg, daughter]);
      assert.equal(wrong, "its birth is not as certified", JSON.stringify(change));
    }
  });

  test("is not believed with another's signature or under another key", () => {
    assert.equal(believe({ ...daughter.record, version: 7 }, [egg]), "not signed by its origin");
    assert.equal(believe({ ...daughter.record, key: "cell/egg" }, [egg]), "filed under a wrong key");
  });

  test("of a death is believed as a farewell, or when the kernel agrees", () => {
    const body = { kind: "death", id: "daughter", pid: process.pid, startTicks: 0, cause: "crashed" } as const;
    const by = (origin: string, keys: KeyPair): OrganismRecord =>
      signRecord(organism, { key: "death/daughter", version: 0, origin, body }, keys.privateKey);
    assert.equal(believe(by("daughter", daughter.keys), [egg, daughter]), null);
    assert.equal(believe(by("egg", egg.keys), [egg, daughter]), "that cell's process runs");
    assert.equal(believe(by("egg", egg.keys), [egg, daughter], false), null);
  });

  test("signed with garbage is refused and nothing is thrown", () => {
    assert.equal(isSignedBy("payload", "!!", egg.keys.publicKey), false);
    assert.equal(isSignedBy("payload", sign("payload", egg.keys.privateKey), "no key"), false);
    assert.equal(isSignedBy("payload", sign("payload", egg.keys.privateKey), egg.keys.publicKey), true);
  });
});

describe("a handshake", () => {
  let folder = "";
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-handshake-"));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  type Meeting = { connector: Awaited<ReturnType<typeof greet>>; acceptor: Awaited<ReturnType<typeof receive>> };

  /** Lets two meet; returns what each makes of the other, with both sockets closed again afterwards. */
  async function meet(
    connecting: Credentials,
    accepting: Credentials,
    look: (meeting: Meeting) => Promise<void> | void,
    { purpose = "kin", onTheHeels = null }: { purpose?: LinkPurpose; onTheHeels?: Buffer | null } = {},
  ): Promise<void> {
    const file = path.join(folder, `${Math.floor(performance.now() * 1000)}.sock`);
    const accepted = Promise.withResolvers<net.Socket>();
    const server = net.createServer((socket) => accepted.resolve(socket)).listen(file);
    const socket = net.connect(file);
    const acceptor = accepted.promise.then(
      (other) =>
        new Promise<Meeting["acceptor"]>((resolve) => {
          const reader = new LineReader(
            other,
            16_384,
            (line) => resolve(receive(other, line, reader.stop(), accepting)),
            () => other.destroy(),
          );
        }),
    );
    // Corked from the welcome on, the proof leaves together with what follows it, and arrives as one chunk.
    if (onTheHeels !== null) socket.once("data", () => socket.cork());
    const connector = await greet(socket, purpose, connecting);
    if (onTheHeels !== null) {
      socket.write(onTheHeels);
      socket.uncork();
    }
    try {
      await look({ connector, acceptor: await acceptor });
    } finally {
      socket.destroy();
      (await accepted.promise).destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  const { egg, daughter, organism } = family();
  const eggCredentials = credentials(organism, egg, [egg, daughter]);
  const daughterCredentials = credentials(organism, daughter, [egg, daughter]);

  test("lets mother and daughter know each other, and what for", async () => {
    await meet(
      daughterCredentials,
      eggCredentials,
      ({ connector, acceptor }) => {
        assert.ok(connector.ok && acceptor.ok);
        assert.equal(connector.record.body.id, "egg");
        assert.equal(acceptor.record.body.id, "daughter");
        assert.equal(acceptor.purpose, "axon");
      },
      { purpose: "axon" },
    );
  });

  test("lets in one whose mother is not known, when it shows that she was of the family", async () => {
    const forgetful = credentials(organism, egg, [egg]);
    await meet(credentials(organism, daughter, [egg, daughter], [egg]), forgetful, ({ acceptor }) =>
      assert.equal(acceptor.ok, true),
    );
    const granddaughterKeys = makeKeyPair();
    const born = { ...facts("granddaughter", "daughter", granddaughterKeys), lineage: ["egg", "daughter"] };
    const granddaughter = certified(
      organism,
      { ...born, generation: 2, birthOrder: 2 },
      granddaughterKeys,
      daughter.keys,
    );
    const orphan = (ancestry: readonly Cell[]): Credentials =>
      credentials(organism, granddaughter, [egg, daughter, granddaughter], ancestry);
    await meet(orphan([egg, daughter]), forgetful, ({ acceptor }) => assert.equal(acceptor.ok, true));
    await meet(orphan([]), forgetful, ({ acceptor }) => {
      assert.deepEqual(acceptor, { ok: false, reason: "its mother is not known" });
    });
  });

  test("has not taken the connector in before the acceptor's first word, which is kept for the link", async (t) => {
    await meet(daughterCredentials, eggCredentials, async ({ connector, acceptor }) => {
      assert.ok(connector.ok && acceptor.ok);
      const taken = beTakenIn(connector);
      acceptor.socket.write("welcome\n");
      const met = await taken;
      assert.ok(met.ok);
      assert.equal(met.rest.toString(), "welcome\n");
      assert.equal((await beTakenIn(met)) === met, true, "who has spoken need not again");
    });
    const disappointed = { ...eggCredentials, whyNotMet: () => "it is infected" };
    await meet(daughterCredentials, disappointed, async ({ connector, acceptor }) => {
      assert.deepEqual([connector.ok, acceptor.ok], [true, false]);
      const met = await beTakenIn(connector);
      assert.equal(met.ok, false);
      assert.ok(connector.ok && connector.socket.destroyed);
      assert.equal((await beTakenIn(connector)).ok, false, "nor of one that is closed already");
    });
    await meet(daughterCredentials, eggCredentials, async ({ connector }) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const taken = beTakenIn(connector);
      t.mock.timers.tick(2_000);
      const met = await taken;
      t.mock.timers.reset();
      assert.equal(met.ok, true, "who is slow to speak has not refused");
    });
  });

  test("refuses who shows a record but does not hold its key", async () => {
    const impostor = { ...daughterCredentials, privateKey: makeKeyPair().privateKey };
    await meet(impostor, eggCredentials, ({ acceptor }) => {
      assert.deepEqual(acceptor, { ok: false, reason: "does not hold its key" });
    });
    const impostorEgg = { ...eggCredentials, privateKey: makeKeyPair().privateKey };
    await meet(daughterCredentials, impostorEgg, ({ connector }) => {
      assert.deepEqual(connector, { ok: false, reason: "does not hold its key" });
    });
  });

  test("refuses a cell of another organism", async () => {
    const stranger = family();
    const strange = credentials(stranger.organism, stranger.egg, [stranger.egg]);
    await meet(strange, eggCredentials, ({ acceptor }) => {
      assert.deepEqual(acceptor, { ok: false, reason: "of another organism" });
    });
  });

  test("leaves what comes right behind it for the link that follows", async () => {
    await meet(daughterCredentials, eggCredentials, async ({ connector, acceptor }) => {
      assert.ok(connector.ok && acceptor.ok);
      const heard: unknown[] = [];
      const closed: Array<LinkFault | null> = [];
      const from = new KinLink("egg", connector.socket, connector.rest, {
        message: () => undefined,
        closed: () => undefined,
      });
      from.send({ type: "hand-down", hops: 3 });
      from.send({ type: "inventory", entries: [] });
      const to = new KinLink("daughter", acceptor.socket, acceptor.rest, {
        message: (message) => heard.push(message),
        closed: (fault) => closed.push(fault),
      });
      await until(() => heard.length === 2);
      assert.deepEqual(heard[0], { type: "hand-down", hops: 3 });
      connector.socket.write("nonsense\n");
      await until(() => closed.length === 1);
      assert.equal(closed[0]?.kind, "malformed");
      assert.match(closed[0].reason, /a message that is none: not JSON/);
      to.send({ type: "hand-down", hops: 1 });
    });
  });

  test("loses nothing that came in one chunk with its last line, be it lines or not", async () => {
    for (const onTheHeels of [Buffer.from("line\nline\nhalf a li"), Buffer.from([0xff, 0x0a, 0x00, 0x0a, 0xc3])]) {
      await meet(
        daughterCredentials,
        eggCredentials,
        async ({ acceptor }) => {
          assert.ok(acceptor.ok);
          const chunks = [acceptor.rest];
          acceptor.socket.on("data", (chunk) => chunks.push(chunk));
          acceptor.socket.resume();
          await until(() => Buffer.concat(chunks).length >= onTheHeels.length);
          assert.deepEqual(Buffer.concat(chunks), onTheHeels);
        },
        { onTheHeels },
      );
    }
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let look = 0; !condition(); look += 1) {
    assert.ok(look < 500, "it did not come about in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
