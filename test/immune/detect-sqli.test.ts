// What @detectSQLi takes for an injection and, more important, what it does not.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { findSqlInjection, hasMarks } from "../../src/immune/seclang/detect/sql-injection.ts";
import { sqlTokens } from "../../src/immune/seclang/detect/sql-tokens.ts";

const attacks: Readonly<Record<string, readonly string[]>> = {
  logic: [
    "1 or 1=1",
    "1 OR 1=1 -- ",
    "-1 or 1=1",
    "1) or (1=1",
    "1/**/or/**/1=1",
    "1 || 1=1",
    "' or '1'='1",
    "' or 1=1--",
    "x' OR 'x' LIKE 'x",
    "' or true--",
    "') or ('a'='a",
    "' and substring(version(),1,1)='5",
    "1' and sleep(5)#",
    '" or ""="',
    "' or 1=1 limit 1 -- -",
    "' || '1'='1",
    "admin' or 1 --",
    "1 and ascii(substr(x,1,1))>64",
    "' xor 1=1 -- ",
    "1'\tor\n1=1--",
    "1 or\xa01=1",
    "' and 1 in (select 1)--",
  ],
  union: [
    "1 union select 1,2,3",
    "-1 UNION ALL SELECT NULL,NULL--",
    "' union select user, password from users--",
    "1 union/**/select/**/1",
    "1 union(select(1))",
    "') union select * from t#",
    "1 /*!50000union*/ /*!select*/ 1,2",
    "' union distinct select @@version--",
  ],
  statement: [
    "1; drop table users",
    "'; drop table users--",
    "1;waitfor delay '0:0:5'--",
    "'; exec master..xp_cmdshell 'dir'--",
    "'); insert into users values(1)--",
    "'; update users set a=1--",
    "1; delete from users",
    "'; declare @a int--",
    "x; drop table users",
    "' into outfile '/tmp/x",
  ],
  "other shapes": [
    "sleep(5)",
    "sELecT slEep (20 dIv 3)",
    "select(sleep(10));",
    "benchmark(2999999,md5(now('')",
    "if(now()=sysdate(),sleep(12),0)",
    "x into outfile '/tmp/x'",
    "'||true",
    "'or'1",
    "1-sleep(5)",
    "'+sleep(5)+'",
    "benchmark(100,md5(1))",
    "(select * from users)",
    "select @@version from dual",
    "1=(select 1)",
    "' || (select 'x')--",
    "1 order by 10--",
    "' order by 5#",
    "' having 1=1--",
    "1 having 1=1",
    "admin'--",
    "admin'-- ",
    "admin' #",
    "admin')--",
    "admin'/*",
    "'='",
    "' like '",
    "'+x+'",
    "' procedure analyse(1)--",
  ],
};

const harmless: Readonly<Record<string, readonly string[]>> = {
  names: [
    "O'Brien",
    "D'Angelo, Marco",
    "Conan O'Brien and Andy O'Neil",
    "L'Hôpital's rule",
    "rock 'n' roll",
    "'t Hooft",
  ],
  prose: [
    "Please select one or more of the options from the list below.",
    "The European Union select committee met on Monday.",
    "Student union selects a new president; drop by the table and update us.",
    "I like it; delete from my list what you don't want.",
    "Drop the table off at my place and insert the key into the lock.",
    "it's 5 o'clock and I'm not sure 2 or 3 are coming",
    "between 10 and 20 items, or 5% of all",
    "10 or 20",
    "Order by Friday, limit 2 per customer",
    "1 order by phone",
    "he said 'no' -- then left",
    '"Yes" and "no" are answers',
    "Tom's and Jerry's #1 fans",
    "5' 10\" tall and 3' wide",
    "my dogs' #1 toy",
    "Sleep (8 hours) is important",
    "you and me = us",
    "Select 5 items from the menu",
    "Select 2 from the list",
    "where is it from? like, is it in or out?",
    "if (a || b) then c, and that's it",
    "Is 3 > 2? Yes. And 2 < 3 too.",
    "Wait for delay at gate 5",
    "case when closed",
    "group by color, having fun",
    "The cat's toy -- the dog's bone",
    "It's true or false: 1+1=2",
    "Version 2 and 3 = fine",
    "'quoted'",
    '"quoted"',
    "don't",
    "a - b - c",
    "execute the plan; create a table of contents; alter the user manual",
  ],
  "other texts": [
    "https://example.org/a?b=c&d=e#f--g",
    "application/json; charset=utf-8",
    "2024-01-01T10:00:00Z",
    "a@b.example",
    "+49 (0)30 123456",
    "12.5%",
    '{"a": [1, 2], "b": "c"}',
    "SGVsbG8gd29ybGQ=",
    "color: #fff; width: 10px",
    "if (x == 1 && y == 2) { return z; }",
    "# heading\n\n* item 1\n* item 2 -- note",
    "x = y + z * (a - b)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "GA1.2.123456789.1234567890",
    "caf\xc3\xa9 \xe2\x80\x99s",
    "\xf0\x9f\x98\x80 or \xf0\x9f\x98\x82",
    "name='John' and age='5'",
    "constructor",
    "sleep(",
    "chr(123)",
    "select (sleep or rest)",
    "__proto__ (x)",
    "SELECT",
    "union",
    "or",
    "--",
    "'",
    '"',
    "",
  ],
};

describe("@detectSQLi finds", () => {
  for (const [shape, values] of Object.entries(attacks)) {
    for (const value of values) {
      test(`${shape}: ${value}`, () => assert.ok(findSqlInjection(value), describeMiss(value)));
    }
  }
});

describe("@detectSQLi leaves alone", () => {
  for (const [kind, values] of Object.entries(harmless)) {
    for (const value of values) {
      test(`${kind}: ${value}`, () => assert.equal(findSqlInjection(value), null));
    }
  }
});

describe("the tokenizer of SQL", () => {
  test("reads any bytes to an end", () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      "`",
      "/*",
      "*/",
      "/*!",
      "--",
      "#",
      "\\",
      "or",
      "1",
      "(",
      ")",
      "e",
      ".",
      "0x",
      "@",
      "[",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        assert.match(sqlTokens(pieces.join("")), /^[snwvfF&pqoUEXKc(),;.{}]{0,64}$/);
        findSqlInjection(pieces.join(""));
      }),
    );
  });

  test("gives no letter that shapes are made of where a value has none of the marks that are looked for first", () => {
    const words = "and or xor union select from where having limit case when order by group drop table exec into sleep";
    const marks = [
      "&&",
      "||",
      "&",
      "|",
      "(",
      " ",
      "/*",
      "*/",
      "/*!50000",
      "1",
      "1.",
      "0x",
      "$",
      "@",
      "\xe9",
      "\xa0",
      "-",
      "_",
    ];
    const pieces = fc.array(fc.constantFrom(...words.split(" "), ...marks), { maxLength: 8 });
    let unmarked = 0;
    fc.assert(
      fc.property(pieces, (each) => {
        const text = each.join("");
        if (hasMarks(text)) return;
        unmarked += 1;
        assert.doesNotMatch(sqlTokens(text), /[UE&KXpF]/, text);
      }),
      { numRuns: 5000 },
    );
    assert.ok(unmarked > 500, `only ${unmarked} values without marks`);
  });

  test("finds an attack in whatever case its words are written", () => {
    const attack = fc.constantFrom(...Object.values(attacks).flat());
    fc.assert(
      fc.property(attack, fc.infiniteStream(fc.boolean()), (value, upper) => {
        const mixed = value.replace(/[a-z]/gi, (letter) =>
          upper.next().value === true ? letter.toUpperCase() : letter.toLowerCase(),
        );
        assert.ok(findSqlInjection(mixed), mixed);
      }),
    );
  });
});

const describeMiss = (value: string): string =>
  `bare ${sqlTokens(value)}, single s${sqlTokens(value.slice(value.indexOf("'") + 1))}`;
