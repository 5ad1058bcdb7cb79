/**
 * Canaries: the same harmless request to each drone, and what their answers say of the one that answers otherwise.
 *
 * Intuition: siblings run one app and one DNA, so of a page that does not change they give the same. One that gives another is
 * not what the others are: its code was changed in memory, say, which nothing in /proc shows.
 *
 * What is evidence, and what is not. A strict majority of those who answered, at least two, must agree to the byte; fewer than
 * three drones prove nothing. Whoever differs is asked again, and after it one of the majority: if those had all moved on (the
 * page was changed under way) nobody is accused. An error (5xx, 429), a timeout, an answer too long to compare are no
 * answers at all: who is ill is others' business (suspicion.ts, drone-pool.ts). All that holds for pages that are the same for
 * everybody and at any time; the app's owner names them.
 */
import crypto from "node:crypto";
import type { HeaderList } from "../../http/message.ts";
import type { CellId } from "../../core/cell.ts";

export interface CanaryRequest {
  readonly path: string;
  /** Of the answer, in lower case: compared besides status and body. */
  readonly headers: readonly string[];
}

/** An answer as it is compared: the same text for the same answer. Null: none. */
export type CanaryAnswer = {
  readonly status: number;
  readonly headers: string;
  /** SHA-256 of the body. */
  readonly body: string;
} | null;

export type AskDrone = (drone: CellId, request: CanaryRequest) => Promise<CanaryAnswer>;

/** Of each drone that answered otherwise than the majority: what was different. Empty where nothing can be said. */
export async function sendCanary(
  request: CanaryRequest,
  drones: readonly CellId[],
  ask: AskDrone,
): Promise<Map<CellId, string>> {
  const found = new Map<CellId, string>();
  const answers = await askAll(request, drones, ask);
  const majority = majorityOf(answers);
  if (majority === null) return found;
  for (const [drone, answer] of answers) {
    if (isSame(answer, majority.answer)) continue;
    const again = await ask(drone, request);
    const witness = await ask(majority.drones[0], request);
    if (again === null || isSame(again, majority.answer) || !isSame(witness, majority.answer)) continue;
    found.set(drone, difference(request, again, majority));
  }
  return found;
}

type Answer = NonNullable<CanaryAnswer>;

interface Majority {
  readonly answer: Answer;
  readonly drones: readonly [CellId, ...CellId[]];
  readonly askedCount: number;
}

async function askAll(
  request: CanaryRequest,
  drones: readonly CellId[],
  ask: AskDrone,
): Promise<Array<[CellId, Answer]>> {
  const asked = drones.map(async (drone) => [drone, await ask(drone, request)] as const);
  return (await Promise.all(asked)).flatMap(([drone, answer]): Array<[CellId, Answer]> =>
    answer === null ? [] : [[drone, answer]],
  );
}

/** Exported for its tests. Null: there is none, or all agree. */
export function majorityOf(answers: ReadonlyArray<readonly [CellId, Answer]>): Majority | null {
  const groups = new Map<string, CellId[]>();
  for (const [drone, answer] of answers) {
    const key = keyOf(answer);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [drone]);
    else group.push(drone);
  }
  if (groups.size < 2) return null;
  for (const [first, ...rest] of groups.values()) {
    const isMajority = first !== undefined && rest.length > 0 && 2 * (1 + rest.length) > answers.length;
    if (!isMajority) continue;
    const [, answer] = answers.find(([drone]) => drone === first) ?? [];
    if (answer !== undefined) return { answer, drones: [first, ...rest], askedCount: answers.length };
  }
  return null;
}

function difference(
  { path }: CanaryRequest,
  answer: Answer,
  { answer: majority, drones, askedCount }: Majority,
): string {
  const what =
    answer.status !== majority.status
      ? `status ${answer.status} and not ${majority.status}`
      : answer.body !== majority.body
        ? `another body (${answer.body.slice(0, 8)} and not ${majority.body.slice(0, 8)})`
        : "other headers";
  return `it answers GET ${path} with ${what}, unlike ${drones.length} of ${askedCount} drones`;
}

/** What is compared of an answer; null for one that says nothing of the app. */
export function canaryAnswer(
  request: CanaryRequest,
  { status, headers, body }: { status: number; headers: HeaderList; body: Buffer },
): CanaryAnswer {
  if (status >= 500 || status === 429) return null;
  const compared: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (request.headers.includes(name)) compared.push(`${name}: ${headers[i + 1]}`);
  }
  return { status, headers: compared.sort().join("\n"), body: crypto.hash("sha256", body) };
}

const keyOf = ({ status, headers, body }: Answer): string => JSON.stringify([status, headers, body]);

function isSame(a: CanaryAnswer, b: Answer): boolean {
  return a !== null && keyOf(a) === keyOf(b);
}
