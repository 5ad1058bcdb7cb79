import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { family, makeOrganism, makeRunBase, runCellws, type CellwsResult } from "../support/fake-organism.ts";

function rig(t: TestContext) {
  const base = makeRunBase(t);
  const env = { XDG_STATE_HOME: path.join(base.runtimeDir, "state") };
  const file = path.join(base.runtimeDir, "list.txt");
  const bans = (...args: string[]): Promise<CellwsResult> => runCellws(["bans", ...args], base, { env });
  return { base, env, file, bans };
}

test("bans are added, listed, lifted, and kept from one command to the next", async (t) => {
  const { bans, env } = rig(t);
  const added = await bans(
    "add",
    "192.0.2.9/24",
    "2001:db8::1",
    "--for",
    "2h",
    "--reason",
    "scraping",
    "--name",
    "shop",
  );
  assert.deepEqual([added.status, added.stderr], [0, ""]);
  assert.match(added.stdout, /^192\.0\.2\.0\/24: ban until \S+Z\n2001:db8::1: ban until \S+Z\n$/);

  const listed = await bans();
  assert.match(
    listed.stdout,
    /^RANGE +ACTION +REASON +OFFENCE +SINCE +LEFT\n192\.0\.2\.0\/24 +ban +scraping +1 +\d+s +1h 59m\n/,
  );
  const { name, bans: found } = JSON.parse((await bans("list", "--json")).stdout) as {
    name: string;
    bans: Array<Record<string, unknown>>;
  };
  assert.equal(name, "shop");
  assert.deepEqual(Object.keys(found[0]!), ["range", "action", "reason", "offence", "issuedAt", "until", "incident"]);

  assert.equal((await bans("remove", "192.0.2.0/24")).stdout, "192.0.2.0/24: lifted\n");
  assert.equal((await bans("export")).stdout, "2001:db8::1\n");
  const again = await bans("add", "192.0.2.0/24", "--name", "shop");
  assert.equal(again.status, 0);
  assert.match((await bans("list")).stdout, /192\.0\.2\.0\/24 +ban +manual +2 /);
  assert.equal(fs.statSync(path.join(env.XDG_STATE_HOME, "cellws", "shop")).mode & 0o777, 0o700);
});

test("bans go from one organism to another in each format", async (t) => {
  const { bans, file } = rig(t);
  await bans("add", "192.0.2.7", "198.51.100.0/24", "2001:db8::/64", "--name", "one");
  for (const format of ["plain", "json", "crowdsec"]) {
    fs.writeFileSync(file, (await bans("export", "--format", format, "--name", "one")).stdout);
    const imported = await bans("import", file, "--name", format);
    assert.equal(imported.stdout, `3 ranges imported into ${format}, 0 left out\n`);
    const { stdout } = await bans("export", "--name", format);
    assert.equal(stdout, "192.0.2.7\n198.51.100.0/24\n2001:db8::/64\n");
  }
  const { stdout } = await bans("export", "--format", "nft", "--ports", "80,443", "--name", "one");
  assert.match(stdout, /table inet cellws-one \{\n[^]*tcp dport \{ 80, 443 \} ip saddr @banned4 drop/);
});

test("an import tells what it left out, and takes the rest", async (t) => {
  const { bans, file } = rig(t);
  fs.writeFileSync(file, "192.0.2.7\nexample.com\n127.0.0.1\n10.0.0.0/8\n");
  const { status, stdout, stderr } = await bans("import", file, "--name", "shop");
  assert.deepEqual([status, stdout], [0, "1 range imported into shop, 3 left out\n"]);
  assert.match(stderr, /left out example\.com: not an address or a CIDR range\n/);
  assert.match(stderr, /left out 127\.0\.0\.1: it holds an address that is never banned\n/);
  assert.match(stderr, /left out 10\.0\.0\.0\/8: it is wider than the widest range, \/16\n/);
});

test("what cannot be done is refused with a reason, and changes nothing", async (t) => {
  const { bans, file } = rig(t);
  fs.writeFileSync(file, "{}{");
  await bans("add", "192.0.2.7", "--name", "shop");
  const cases: Array<[args: string[], status: number, message: RegExp]> = [
    [
      ["ad", "192.0.2.7"],
      2,
      /CELLWS_E_USAGE: unknown action 'ad'\n.*expected: one of list, add, remove, export, import/,
    ],
    [["add", "example.com"], 2, /CELLWS_E_USAGE: 'example\.com' is no address/],
    [["add"], 2, /CELLWS_E_USAGE: add needs an address/],
    [
      ["add", "127.0.0.1"],
      2,
      /CELLWS_E_BAN_REFUSED: 127\.0\.0\.1 is not banned: it holds an address that is never banned/,
    ],
    [["add", "10.0.0.0/8"], 2, /CELLWS_E_BAN_REFUSED/],
    [["add", "192.0.2.9", "--for", "400d"], 2, /CELLWS_E_BAN_REFUSED: .*longer than the longest/],
    [["remove", "192.0.2.8"], 1, /CELLWS_E_NO_BAN: there is no ban on 192\.0\.2\.8/],
    [["list", "--name", "shpo"], 1, /CELLWS_E_NO_MEMORY: 'shpo' has no memory of bans\n.*memories of shop/],
    [["import", file], 2, /CELLWS_E_BAN_LIST: .* is no list of bans/],
    [["import", "/nowhere"], 2, /CELLWS_E_BAN_LIST: cannot read \/nowhere/],
    [["export", "--format", "nft"], 2, /CELLWS_E_USAGE: which ports to close is not known/],
    [["export", "--format", "nft", "--ports", "0"], 2, /CELLWS_E_USAGE: .*Write port numbers/],
  ];
  for (const [args, status, message] of cases) {
    const result = await bans(...args);
    assert.deepEqual([result.status, result.stdout], [status, ""], args.join(" "));
    assert.match(result.stderr, message);
  }
  assert.equal((await bans("export")).stdout, "192.0.2.7\n");
});

test("odd input is refused whole, with what was expected, and what is odd but meant is understood", async (t) => {
  const { bans, file } = rig(t);
  await bans("add", "192.0.2.7", "--name", "shop");
  const refused: Array<[args: string[], message: RegExp]> = [
    ...[
      "192.0.2.07",
      "192.0.2.8/33",
      "192.0.2.8/",
      "2001:db8::/129",
      "fe80::1%eth0",
      " 192.0.2.8",
      "0x7f.1",
      "",
      "*",
    ].map((range): [string[], RegExp] => [
      ["add", "192.0.2.8", range],
      /CELLWS_E_USAGE: .*is no address and no CIDR range/,
    ]),
    [["add", "0.0.0.0/0"], /CELLWS_E_BAN_REFUSED: 0\.0\.0\.0\/0 is not banned: it is wider/],
    [["add", "::/0"], /CELLWS_E_BAN_REFUSED/],
    [["add", "::ffff:127.0.0.1"], /CELLWS_E_BAN_REFUSED: 127\.0\.0\.1 is not banned/],
    [["add", "192.0.2.8", "--for", "0"], /CELLWS_E_USAGE: a ban for no time is none/],
    [["add", "192.0.2.8", "--for", "-5m"], /CELLWS_E_USAGE: .*'-5m' is invalid/],
    [["add", "192.0.2.8", "--for", "1e9"], /CELLWS_E_USAGE: .*'1e9' is invalid/],
    [["add", "192.0.2.8", "--action", "lifted"], /CELLWS_E_USAGE: .*'lifted' is invalid/],
    [["add", "192.0.2.8", "--reason", "\u001b[31mred"], /CELLWS_E_USAGE: that is no reason for a ban/],
    [["add", "192.0.2.8", "--reason", "two\nlines"], /CELLWS_E_USAGE: that is no reason/],
    [["add", "192.0.2.8", "--reason", " "], /CELLWS_E_USAGE: that is no reason/],
    [["add", "192.0.2.8", "--reason", "x".repeat(65)], /CELLWS_E_USAGE: that is no reason/],
    [["add", "--", "--name"], /CELLWS_E_USAGE: '--name' is no address/],
    [["LIST"], /CELLWS_E_USAGE: unknown action 'LIST'/],
    [["list", "192.0.2.7"], /CELLWS_E_USAGE: list takes no '192\.0\.2\.7'/],
    [["import", file, file], /CELLWS_E_USAGE: import takes one file/],
    [["import", path.dirname(file)], /CELLWS_E_BAN_LIST: cannot read/],
    ...["1e3", "0x50", "80,,443", "80, 443", "65536", ""].map((ports): [string[], RegExp] => [
      ["export", "--format", "nft", "--ports", ports],
      /CELLWS_E_USAGE: .*Write port numbers/,
    ]),
    [["add", "192.0.2.8", "--name", "../shop"], /CELLWS_E_NAME_INVALID/],
  ];
  for (const [args, message] of refused) {
    const { status, stdout, stderr } = await bans(...args);
    assert.deepEqual([status, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.ok(!stderr.includes("\u001b"), "its own escape sequences are not sent to the terminal");
  }
  assert.equal((await bans("export")).stdout, "192.0.2.7\n");

  const twice = await bans("add", "::FFFF:192.0.2.9", "192.0.2.9", "192.0.2.9/32", "--reason", " größer  ");
  assert.match(twice.stdout, /^192\.0\.2\.9: ban until \S+Z\n$/, "three names of one address are one ban");
  assert.match((await bans()).stdout, /192\.0\.2\.9 +ban +größer +1 /);
  assert.equal((await bans("remove", "192.0.2.9", "192.0.2.9/32")).stdout, "192.0.2.9: lifted\n");
});

test("a list in any state is read as far as it can be, and its bytes do not reach the terminal", async (t) => {
  const { bans, file } = rig(t);
  const lists: Array<[bytes: string | Buffer, status: number, told: RegExp]> = [
    ["", 0, /^0 ranges imported into shop, 0 left out\n$/],
    ["\ufeff192.0.2.1\r\n192.0.2.2\r\n\r\n", 0, /^2 ranges imported into shop, 0 left out\n$/],
    ["192.0.2.3\u001b[2J\n192.0.2.4", 0, /^1 range imported into shop, 1 left out\n$/],
    [Buffer.from([0, 0xff, 0xfe, 0x1b, 0x5d, 0x30, 0x3b, 0x0a]), 0, /^0 ranges imported into shop, 1 left out\n$/],
    ['{"bans":[]}', 0, /^0 ranges imported/],
    [
      '{"bans":[{"range":"192.0.2.5","action":"ban","untilMs":1e308}]}',
      0,
      /^0 ranges imported into shop, 1 left out\n$/,
    ],
    ['{"bans":[{"range":"192.0.2.5","action":"ban","reason":"\\u001b[2J"}]}', 0, /^1 range imported/],
    ['{"bans":[{"range":"192.0.2.5","action":"lifted"}]}', 2, /^$/],
    ["[1,2]", 2, /^$/],
    ['{"__proto__":{"x":["192.0.2.6"]}}', 2, /^$/],
    ["[".repeat(100_000), 2, /^$/],
  ];
  for (const [bytes, status, told] of lists) {
    fs.writeFileSync(file, bytes);
    const result = await bans("import", file, "--name", "shop");
    assert.equal(result.status, status, `${String(bytes).slice(0, 80)}: ${result.stderr}`);
    assert.match(result.stdout, told);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(result.stderr, /[\x00-\x08\x0b-\x1f]/);
  }
  const { stdout } = await bans();
  assert.match(stdout, /192\.0\.2\.5 +ban +\?\[2J /);
  assert.equal((await bans("export")).stdout, "192.0.2.1\n192.0.2.2\n192.0.2.4\n192.0.2.5\n");
});

test("with several memories a name is needed; with none that is told", async (t) => {
  const { bans } = rig(t);
  assert.match((await bans()).stderr, /CELLWS_E_NO_MEMORY: no organism has a memory of bans yet/);
  await bans("add", "192.0.2.7", "--name", "one");
  await bans("add", "192.0.2.7", "--name", "two");
  const { status, stderr } = await bans();
  assert.equal(status, 2);
  assert.match(stderr, /CELLWS_E_NAME_NEEDED: .*\n.*found: one, two/);
});

test("while the organism runs its bans are changed as well", async (t) => {
  const { base, bans } = rig(t);
  await bans("add", "192.0.2.7", "--name", "shop");
  await makeOrganism(t, base, { cells: family });
  assert.equal((await bans("add", "192.0.2.8", "--name", "shop")).status, 0);
  assert.equal((await bans("remove", "192.0.2.8", "--name", "shop")).status, 0);
  assert.equal((await bans("export")).stdout, "192.0.2.7\n");
  assert.match((await bans("export", "--format", "nft")).stdout, /tcp dport/);
});

test("a damaged memory is set aside with a word about it", async (t) => {
  const { bans, env } = rig(t);
  await bans("add", "192.0.2.7", "--name", "shop");
  const file = path.join(env.XDG_STATE_HOME, "cellws", "shop", "immune.db");
  fs.writeFileSync(file, "damaged ".repeat(999));
  const { status, stdout, stderr } = await bans();
  assert.deepEqual([status, stdout], [0, "no bans in force for shop\n"]);
  assert.match(stderr, /^cellws: CELLWS_W_MEMORY_CORRUPT: .*immune\.db\.corrupt-/);
});
