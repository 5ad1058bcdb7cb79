/**
 * Rules of the mind, each taken away or turned round: what `npm run mutate` tries, one at a time. A test asserts that every
 * text is still there, once, so that the table cannot go stale unnoticed.
 */

export interface Mutation {
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Why it may go unnoticed: then it is expected to. */
  readonly survives?: string;
}

export const mutations: readonly Mutation[] = [
  // Ballots.
  {
    rule: "a sentence takes more than half of the electorate",
    file: "src/core/ballot.ts",
    find: "return Math.floor(jurySizeNow / 2) + 1;",
    replace: "return Math.floor(jurySizeNow / 4) + 1;",
  },
  {
    rule: "a sentence takes no more than that",
    file: "src/core/ballot.ts",
    find: "return Math.floor(jurySizeNow / 2) + 1;",
    replace: "return jurySizeNow;",
  },
  {
    rule: "only the votes of electors count",
    file: "src/core/ballot.ts",
    find: "voters.filter((voter) => jurors.has(voter))",
    replace: "voters",
  },
  {
    rule: "newborns do not vote",
    file: "src/core/ballot.ts",
    find: "if (knownMs >= maturityMs)",
    replace: "if (knownMs >= 0)",
  },
  {
    rule: "new seats of one line stay in the minority",
    file: "src/core/ballot.ts",
    find: "    if (!fits) continue;\n",
    replace: "",
  },
  {
    rule: "whom we see to be infected is no voter",
    file: "src/core/ballot.ts",
    find: 'if (state.suspects.get(cell.id)?.answer === "infected") continue;',
    replace: "",
  },
  {
    rule: "of two cells none is judge in its own cause",
    file: "src/core/ballot.ts",
    find: "if (electors.length < electorateMin) return still(state);",
    replace: "",
  },
  {
    rule: "a voter signs one sentence a window",
    file: "src/core/ballot.ts",
    find: "return recent < votesPerWindow(electorCount);",
    replace: "return true;",
  },
  {
    rule: "a voter is not heeded beyond its votes",
    file: "src/core/ballot.ts",
    find: "return spent >= voteBudgetSlack * votesPerWindow(state.alive.size);",
    replace: "return false;",
  },
  {
    rule: "a vote is for its window",
    file: "src/core/ballot.ts",
    find: "Math.abs(charge.window - windowOf(nowMs)) > 1 || ",
    replace: "",
  },
  {
    rule: "a vote is against one process, not whoever has its pid",
    file: "src/core/ballot.ts",
    find: "if (cell === undefined || cell.pid !== charge.pid || cell.startTicks !== charge.startTicks) return state;",
    replace: "if (cell === undefined) return state;",
  },
  {
    rule: "a jury that hangs is followed by a larger one",
    file: "src/core/ballot.ts",
    find: "round = Math.max(round, charge.round + 1);",
    replace: "round = charge.round;",
  },
  {
    rule: "a newborn takes part in no sentence before it has asked the others",
    file: "src/core/ballot.ts",
    find: "return state.probed >= Math.min(state.alive.size - 1, acquaintancesMax);",
    replace: "return true;",
  },
  {
    rule: "votes are passed on",
    file: "src/core/ballot.ts",
    find: 'message: { type: "votes", votes: news } }',
    replace: 'message: { type: "votes", votes: [] } }',
  },
  // Execution.
  {
    rule: "a certificate must hold for whoever heeds it",
    file: "src/core/execution.ts",
    find: "    !isSufficient(\n",
    replace: "    false && !isSufficient(\n",
  },
  {
    rule: "others end the condemned where its mother does not",
    file: "src/core/execution.ts",
    find: "return (1 + rendezvousRank(`execute/${id}`, state.self, others)) * executorStepMs;",
    replace: "return others.length * 1e9;",
  },
  {
    rule: "the condemned who is only one too many may finish what it has",
    file: "src/core/execution.ts",
    find: "  surplus: true,\n  worn: true,\n  outdated: true,\n",
    replace: "  surplus: false,\n  worn: true,\n  outdated: true,\n",
  },
  {
    rule: "who has said farewell and runs on is ended",
    file: "src/core/execution.ts",
    find: 'return [state, [{ type: "kill", id, pid, startTicks }]];',
    replace: "return still(state);",
  },
  {
    rule: "a farewell of the condemned is no proof",
    file: "src/core/roster.ts",
    find: "if (toldBy !== id) condemned.delete(id);\n  else if (id !== state.self && !condemned.has(id))",
    replace: "condemned.delete(id);\n  if (toldBy === id && nowMs < 0)",
  },
  {
    rule: "the hung submit to nothing, the others do",
    file: "src/core/execution.ts",
    find: "if (id === state.self) return inTurn(",
    replace: "if (id === state.self && nowMs < 0) return inTurn(",
  },
  // Solitude.
  {
    rule: "nothing is grown before strangers were looked for",
    file: "src/core/step.ts",
    find: "  if (isLookingForStrangers(state)) return still(state);\n",
    replace: "",
  },
  {
    rule: "the organism is left to strangers who can grow it",
    file: "src/core/solitude.ts",
    find: "isAble && !(knowsUs && isPatient)",
    replace: "isAble && nowMs < 0",
  },
  {
    rule: "who knows us is waited for",
    file: "src/core/solitude.ts",
    find: "!(knowsUs && isPatient)",
    replace: "true",
  },
  {
    rule: "of strangers who can grow nothing one goes ahead",
    file: "src/core/solitude.ts",
    find: "knowsUs || id < state.self)",
    replace: "knowsUs)",
  },
  {
    rule: "the dead and the condemned are no strangers",
    file: "src/core/solitude.ts",
    find: " && !condemned.has(id) && !records.has(deathKey(id))",
    replace: "",
  },
  // Suspicion.
  {
    rule: "a suspect has time to answer",
    file: "src/core/suspicion.ts",
    find: "if (overdueMs < 0 || state.isDazed)",
    replace: "if (state.isDazed)",
  },
  {
    rule: "after a hole in its own time a cell accuses nobody",
    file: "src/core/suspicion.ts",
    find: "const suspects = new Map([...state.suspects].map(([id, suspect]) => [id, { ...suspect, sinceMs: nowMs }]));",
    replace: "const { suspects } = state;",
  },
  {
    rule: "after a long hole in its own time a cell takes nobody for worn out",
    file: "src/core/suspicion.ts",
    find: "gapMs < wornMsMin ? state.wornSinceMs : new Map<CellId, number>()",
    replace: "state.wornSinceMs",
  },
  {
    rule: "the founders count as long known together",
    file: "src/core/ballot.ts",
    find: "Math.min(lineageWindowMs, thirdMs - foundingMs)",
    replace: "lineageWindowMs",
  },
  {
    rule: "who computes is given the DNA's hangMs",
    file: "src/core/suspicion.ts",
    find: 'if (answer === "busy") return state.dna.hangMs;',
    replace: "",
  },
  {
    rule: "for a stopped process the kernel's word is enough",
    file: "src/core/suspicion.ts",
    find: 'if (answer === "stopped") return minMs;',
    replace: "",
  },
  {
    rule: "what is seen from outside is so however we are",
    file: "src/core/suspicion.ts",
    find: 'return answer === "infected" || answer === "stopped";',
    replace: "return false;",
  },
  {
    rule: "that nobody is found under an egg's name is no answer of its",
    file: "src/core/suspicion.ts",
    find: 'answer === "answered" && state.alive.get(id)?.class === "egg"',
    replace: 'state.alive.get(id)?.class === "egg"',
  },
  {
    rule: "suspects who answer are suspects no more",
    file: "src/core/suspicion.ts",
    find: "return still({ ...well, healthScore, suspects: less(state.suspects, id), rumours: less(state.rumours, id) });",
    replace: "return still({ ...well, healthScore });",
  },
  {
    rule: "a suspicion is spoken for oneself",
    file: "src/core/suspicion.ts",
    find: "if (cell === undefined || by !== from || by === id) return still(state);",
    replace: "if (cell === undefined || by === id) return still(state);",
  },
  {
    rule: "what others say of us silences us not",
    file: "src/core/suspicion.ts",
    find: "Math.min(worse(state), healthScoreToAccuse - 1)",
    replace: "worse(state)",
  },
  {
    rule: "voters take the same one of several suspects first",
    file: "src/core/suspicion.ts",
    find: "harm(a, x) - harm(b, y) || place(a) - place(b)",
    replace: "hash32(state.self + a) - hash32(state.self + b)",
  },
  {
    rule: "whom no majority can end is given up, and regrown",
    file: "src/core/suspicion.ts",
    find: "if (suspect.isGivenUp || overdueMs < givenUpMs)",
    replace: "if (suspect.isGivenUp || overdueMs < givenUpMs * 1e6)",
  },
  {
    rule: "who should have been born by now is asked like the others",
    file: "src/core/suspicion.ts",
    find: 'nowMs - (state.heardMs.get(cells[place]?.id ?? "") ?? nowMs) < gestationMsMax;',
    replace: "nowMs >= 0;",
  },
  // Kinship.
  {
    rule: "only elders adopt",
    file: "src/core/kinship.ts",
    find: "    isElder(cell, own) &&\n",
    replace: "    cell.id !== own.id &&\n",
  },
  {
    rule: "there is no second elder",
    file: "src/core/kinship.ts",
    find: 'if (isSecondElder) return [state, [{ type: "disconnect", from: peer }]];',
    replace: "",
  },
  {
    rule: "an orphan seeks another elder",
    file: "src/core/kinship.ts",
    find: "const candidate = nextElder(state, new Set(refused));",
    replace: "const candidate = state.kin.size > 0 ? null : nextElder(state, new Set(refused));",
  },
  {
    rule: "an elder that does not answer is let go",
    file: "src/core/kinship.ts",
    find: "if (elder === null || suspect === undefined || nowMs - suspect.sinceMs < silentElderMs) return still(state);",
    replace: "if (elder === null || suspect === undefined || nowMs > 0) return still(state);",
  },
  {
    rule: "relatives that are infected are let go",
    file: "src/core/kinship.ts",
    find: "if (shunned.length === 0) return still(state);",
    replace: "if (shunned.length >= 0) return still(state);",
  },
  {
    rule: "cells look after each other in turn",
    file: "src/core/kinship.ts",
    find: "i < Math.min(patrolPerPeriod, others.length)",
    replace: "i < Math.min(0, others.length)",
  },
  {
    rule: "a death makes one ask about its relatives",
    file: "src/core/kinship.ts",
    find: "if (cell.mother !== dead.id && cell.id !== dead.mother) continue;",
    replace: "if (cell.id !== dead.id) continue;",
  },
  {
    rule: "ends of a new link compare their records",
    file: "src/core/kinship.ts",
    find: "doubted: without(state.doubted, peer) }, [inventory(state, peer)]];",
    replace: "doubted: without(state.doubted, peer) }, []];",
  },
  // Records.
  {
    rule: "the dead stay dead",
    file: "src/core/roster.ts",
    find: 'if (record.body.kind === "cell") return !state.records.has(deathKey(record.body.id));',
    replace: 'if (record.body.kind === "cell") return true;',
  },
  {
    rule: "news is passed on",
    file: "src/core/roster.ts",
    find: 'message: { type: "records", records: news } }',
    replace: 'message: { type: "records", records: [] } }',
  },
  {
    rule: "on cells that do not answer nothing is built",
    file: "src/core/roster.ts",
    find: "members.filter((id) => !state.suspects.has(id))",
    replace: "members",
  },
  {
    rule: "relatives that stay at odds compare their records anew",
    file: "src/core/tally.ts",
    find: "if (periods < discordPeriodsMax)",
    replace: "if (periods < discordPeriodsMax * 1e9)",
  },
  {
    rule: "a tally is heard as far as it can be so",
    file: "src/core/tally.ts",
    find: "tally: plausible(state, tally), atMs",
    replace: "tally, atMs",
  },
  // Belief.
  {
    rule: "an obituary needs the kernel's word",
    file: "src/wire/belief.ts",
    find: "return origin === id || !known.runs(pid, startTicks) ? null",
    replace: "return origin !== null ? null",
  },
  {
    rule: "an obituary names the cell's own process",
    file: "src/wire/belief.ts",
    find: "if (cell.pid !== pid || cell.startTicks !== startTicks)",
    replace: "if (cell.pid < 0)",
  },
  {
    rule: "a vote is its voter's",
    file: "src/wire/belief.ts",
    find: "const genuine = votes.filter(({ voter, charge, signature }) => isVoteOf(known, seals, voter, charge, signature));",
    replace: "const genuine = votes;",
  },
  {
    rule: "a sentence's votes are its voters'",
    file: "src/wire/belief.ts",
    find: "const isGenuine = votes.every(({ voter, signature }) => isVoteOf(known, seals, voter, charge, signature));",
    replace: "const isGenuine = true;",
  },
  {
    rule: "a record is its origin's",
    file: "src/wire/belief.ts",
    find: "if (!seals.isSignedBy(recordPayload(known.organism, record), record.signature, publicKey))",
    replace: "if (record.signature === null)",
  },
  {
    rule: "no daughter is born under another cell's process",
    file: "src/wire/belief.ts",
    find: "if (owner !== undefined && owner !== body.id && ",
    replace: 'if (owner === "nobody" && ',
  },
  {
    rule: "a lineage is the mother's, and she",
    file: "src/wire/belief.ts",
    find: "if (mother !== undefined && !descends(body, mother))",
    replace: "if (mother === null)",
  },
  {
    rule: "a role once taken stays",
    file: "src/wire/belief.ts",
    find: "return tookRole && body.class !== before.class ?",
    replace: 'return tookRole && body.class === "nothing" ?',
  },
  {
    rule: "who is born is not unborn again",
    file: "src/wire/belief.ts",
    find: 'if (before.state !== "gestating" && body.state === "gestating")',
    replace: 'if (before.state === "nothing")',
  },
  {
    rule: "versions do not leap",
    file: "src/wire/belief.ts",
    find: "?? Number.MAX_SAFE_INTEGER) + versionLeapMax)",
    replace: "?? Number.MAX_SAFE_INTEGER) + 2 ** 53)",
  },
  {
    rule: "an orphan shows its ancestry",
    file: "src/wire/belief.ts",
    find: "for (const ancestor of ancestry) {",
    replace: "for (const ancestor of ancestry.slice(0, 0)) {",
  },
  // Hormones, growth, division.
  {
    rule: "hormones grow weaker at each hop",
    file: "src/core/hormone.ts",
    find: "const strength = Math.floor((pulse.strength * attenuationMilli) / 1000);",
    replace: "const strength = pulse.strength;",
  },
  {
    rule: "a pulse is taken once",
    file: "src/core/hormone.ts",
    find: "if (hormones.seen.includes(pulse.id)) return hormones;",
    replace: "",
  },
  {
    rule: "what is stronger than its hops allow is no pulse",
    file: "src/core/hormone.ts",
    find: "return pulse.strength <= bound;",
    replace: "return pulse.strength <= bound + pulseStrengthMax;",
  },
  {
    rule: "one is asked to divide only where the pool is short",
    file: "src/core/step.ts",
    find: " && poolDeficit(state, nowMs) > 0",
    replace: "",
  },
  {
    rule: "one is born an egg, or never is one",
    file: "src/wire/belief.ts",
    find: 'if (before.class !== "egg" && body.class === "egg") return "nobody becomes an egg";',
    replace: "",
  },
  // Renewal.
  {
    rule: "who is worn out is replaced first",
    file: "src/core/wear.ts",
    find: "return left >= wantedAtRest(state, cellClass, nowMs) && leaving(state, cellClass) < renewalsMax(state, cellClass);",
    replace: "return leaving(state, cellClass) < renewalsMax(state, cellClass);",
  },
  {
    rule: "one more is wanted while one is to be replaced",
    file: "src/core/wear.ts",
    find: "return Math.max(0, Math.min(due, renewalsMax(state, cellClass)) - leaving(state, cellClass));",
    replace: "return 0;",
  },
  {
    rule: "never more of a class are replaced at a time than may",
    file: "src/core/wear.ts",
    find: "return Math.max(1, Math.floor(membersOf(state, cellClass).length / renewalShare));",
    replace: "return membersOf(state, cellClass).length;",
  },
  {
    rule: "what is too much for a moment is no wear",
    file: "src/core/wear.ts",
    find: "if (wornSinceMs !== undefined && nowMs - wornSinceMs >= wornMsMin)",
    replace: "if (wornSinceMs !== undefined)",
  },
  {
    rule: "who is worn out is seen to be",
    file: "src/core/wear.ts",
    find: "if (isWorn) wornSinceMs.set(id, nowMs);",
    replace: "if (isWorn && nowMs < 0) wornSinceMs.set(id, nowMs);",
  },
  {
    rule: "a cell is told what it uses itself",
    file: "src/core/kinship.ts",
    find: "id === state.self ? [move[0], [inspection(ownBody(state))]] : doubt(move[0], id);",
    replace: "doubt(move[0], id);",
  },
  {
    rule: "who leaks or is outdated goes before who is merely old",
    file: "src/core/wear.ts",
    find: " + (isUrgent(cell) ? 0 : hashesEnd);",
    replace: ";",
  },
  {
    rule: "the pool is renewed before those who come out of it",
    file: "src/core/wear.ts",
    find: 'return cell.class === "stem" || !hasOutdatedStem(state) ? "outdated" : null;',
    replace: 'return "outdated";',
  },
  {
    rule: "a cell of an old DNA is outdated",
    file: "src/core/revision.ts",
    find: "return current !== null && current !== revision;",
    replace: "return current !== null && current === `${revision}?`;",
  },
  {
    rule: "a neuron that nobody hears bears as many as are missing",
    file: "src/core/pool.ts",
    find: "const births = Math.max(missing - close, wanted > close || isCallingOn ? 1 : 0);",
    replace: "const births = 1;",
  },
  {
    rule: "those answer it, whatever their rank among all",
    file: "src/core/differentiation.ts",
    find: "  if (close.includes(state.self) && rankAmong(close) < wanted) return 0;\n",
    replace: "",
  },
  {
    rule: "others who hear it after all let those go first",
    file: "src/core/differentiation.ts",
    find: " + (close.length > 0 ? 1 : 0);",
    replace: ";",
  },
  {
    rule: "a daughter borne to answer is no sign that others hear",
    file: "src/core/roster.ts",
    find: "tookRole && !isStillUnheard(state, body, took);",
    replace: "tookRole;",
  },
  {
    rule: "who is born has the DNA that holds",
    file: "src/core/division.ts",
    find: "revision: revisionOf(state) ?? own.revision,",
    replace: "revision: own.revision,",
  },
  {
    rule: "a DNA that is not there is not believed",
    file: "src/wire/belief.ts",
    find: 'return known.hasDna(body.revision) ? null : "there is no such DNA";',
    replace: "return null;",
  },
  {
    rule: "whoever hands a birth down has it done for a renewal too",
    file: "src/core/step.ts",
    find: "poolDeficit(state, nowMs) > 0",
    replace: "poolDeficit({ ...state, isSqueezed: true }, nowMs) > 0",
  },
  {
    rule: "nobody is killed in the name of a ghost with its process",
    file: "src/core/execution.ts",
    find: "if (isForItsName[reason] && sharesItsProcess(next.alive, id)) {",
    replace: "if (nowMs < 0 && isForItsName[reason] && sharesItsProcess(next.alive, id)) {",
  },
  {
    rule: "a ghost that nobody answers for shuts no other cell out",
    file: "src/core/roster.ts",
    find: "cell.startTicks === startTicks && !state.absent.has(cell.id)) return cell.id;",
    replace: "cell.startTicks === startTicks) return cell.id;",
  },
  {
    rule: "where memory is used up nothing grows",
    file: "src/core/demand.ts",
    find: "const room = state.isSqueezed ? Math.min(max, census(state)[cellClass]) : max;",
    replace: "const room = max;",
  },
  // Demand.
  {
    rule: "saturated drones are judged by what comes and what is done",
    file: "src/core/demand.ts",
    find: "const byLoad = strained ? Math.ceil((loadWanted * ratioMilli) / 1000) : loadWanted;",
    replace: "const byLoad = loadWanted;",
  },
  // Dormancy.
  {
    rule: "an organism that nobody asks anything lays an egg",
    file: "src/core/dormancy.ts",
    find: "if (!allAreQuiet(state, nowMs)) return still(state);",
    replace: "if (nowMs > 0) return still(state);",
  },
  {
    rule: "who was asked something lately does not sleep",
    file: "src/core/dormancy.ts",
    find: "return heard >= there && quietMsOf(tally) >= state.dna.dormancyIdleMs;",
    replace: "return heard >= there;",
  },
  {
    rule: "while all fall asleep nobody is made up for",
    file: "src/core/step.ts",
    find: "    ? fallAsleep(state, nowMs)\n    : inTurn(still(state), nowMs, heedCrashes, seekStrangers, grow);",
    replace:
      "    ? inTurn(still(state), nowMs, heedCrashes, seekStrangers, grow, fallAsleep)\n    : inTurn(still(state), nowMs, heedCrashes, seekStrangers, grow);",
  },
  {
    rule: "drones outlast the B cells on the way to sleep",
    file: "src/core/dormancy.ts",
    find: 'return members["b-cell"] === 0;',
    replace: "return true;",
  },
  {
    rule: "an egg whose organism is awake goes",
    file: "src/core/dormancy.ts",
    find: "if (hasElderEgg(state) || isAwake(state, nowMs)) return retire",
    replace: "if (hasElderEgg(state)) return retire",
  },
  {
    rule: "an egg among those who cannot grow wakes",
    file: "src/core/dormancy.ts",
    find: "return isOrphaned(state) || isTroubled(state, nowMs) ? germinate(state, nowMs) : still(state);",
    replace: "return isTroubled(state, nowMs) ? germinate(state, nowMs) : still(state);",
  },
  {
    rule: "an egg beside one who hangs wakes",
    file: "src/core/dormancy.ts",
    find: "return isOrphaned(state) || isTroubled(state, nowMs) ? germinate(state, nowMs) : still(state);",
    replace: "return isOrphaned(state) ? germinate(state, nowMs) : still(state);",
  },
  {
    rule: "nobody leaves on an egg that has not answered",
    file: "src/core/dormancy.ts",
    find: "if (nowMs - state.eggAnsweredMs > eggAnswerFreshMs) return askAtOnce(state, egg);",
    replace: "",
  },
  {
    rule: "an egg that is not alone looks around",
    file: "src/core/step.ts",
    find: 'if (state.phase === "ended" || (state.phase === "dormant" && isAlone)) return null;',
    replace: 'if (state.phase === "ended" || state.phase === "dormant") return null;',
  },
  {
    rule: "who stayed after all has not drained",
    file: "src/core/step.ts",
    find: 'return still(state.phase === "stopping" ? { ...state, drained: true } : state);',
    replace: "return still({ ...state, drained: true });",
  },
];
