/**
 * Who is there: a set for those that come and go all the time, and that know their own place in it.
 *
 * Why not a Set: it keeps what has left it, as a Map does (number-table.ts says how, and what that costs). Here the last of the
 * roll takes the place of whoever leaves.
 */
export interface Enrolled {
  /** Its index in the roll; -1 while it is in none. Only the roll changes it. */
  rollPlace: number;
}

export class Roll<T extends Enrolled> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** A member is in one roll at a time, and in that once. */
  add(member: T): void {
    member.rollPlace = this.#members.push(member) - 1;
  }

  /** False: it was not there. */
  delete(member: T): boolean {
    const place = member.rollPlace;
    if (this.#members[place] !== member) return false;
    const last = this.#members.pop() as T;
    if (last !== member) {
      this.#members[place] = last;
      last.rollPlace = place;
    }
    member.rollPlace = -1;
    return true;
  }

  /** Those that are there as the walk begins, without those that leave on the way before their turn. */
  *[Symbol.iterator](): Generator<T> {
    for (const member of this.#members.slice()) if (this.#members[member.rollPlace] === member) yield member;
  }
}
