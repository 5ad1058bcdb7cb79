/**
 * Every bound and period of the core, with its reason. What a user may want otherwise is in the DNA (CoreDna);
 * what is here follows from how the parts work together and is not for turning.
 */

/** The unit in which the kernel tells when a process began (USER_HZ is 100 wherever Linux runs Node). */
export const tickMs = 10;

/** How often a cell that is not dormant looks around. Twice within a half-life at its shortest, four times a second. */
export const controlPeriodMs = 250;

/** So soon after its last look a neuron looks around again where somebody has died: a mass death is one look, not a hundred. */
export const soonestLookMs = 50;

/**
 * Hormone strengths are integers, so that every machine computes the same history. A full-strength pulse is a million
 * units: attenuated by 0.25 it can make nine hops before it falls below one unit.
 */
export const pulseStrengthMax = 1_000_000;

/** A first call. What it leaves one hop away is the threshold at which a stem cell wakes, whatever the attenuation. */
export const callStrengthMin = 400_000;

/** A want that goes unanswered is called for more loudly with each pulse, until pulseStrengthMax. */
export const callStrengthStep = 100_000;

/** So long after an answer a call is taken to be from somebody who has not heard of it: several hops' time. */
export const answerRefractoryMs = controlPeriodMs;

/** Calls that only the best-ranked may answer: the second ring feels a first call's threshold after as many. */
export const patienceCalls = 4;

/** Who is let through after others waits so much longer for each: several hops' time for an answer to arrive. */
export const answerStepMs = 100;

/** Calls without an answer after which a neuron takes it that no stem cell can hear it, and bears one close by. */
export const unheardCalls = 8;

/** Below this a pulse stops travelling: at the default attenuation a first call gets four hops far. */
export const hormoneEpsilon = 1_000;

/** A level never sums above this, so that it decays within a bounded time however much was poured in. */
export const hormoneLevelMax = 8 * pulseStrengthMax;

/** Pulses remembered for deduplication: at four a second from a handful of cells this is several seconds' worth. */
export const pulsesRememberedMax = 256;

/** Time from deciding a birth until the newborn is counted and feels hormones: the loop's delay tau, generously. */
export const birthDelayMs = 400;

/** After it has answered its pool's need a cell waits this long before it divides for the pool again (2 tau). */
export const refractoryMs = 2 * birthDelayMs;

/** A newborn that has not linked up within this time is given up. A loaded machine starts Node in seconds, not in tens. */
export const gestationMsMax = 20_000;

/** Drones that die within this time of each other died of one cause, which is seldom the app: it counts as one crash. */
export const episodeMs = 500;

/**
 * Who is to grow the organism anew looks so often for others that live, and waits so long for those that are to grow it instead or
 * know us: they find us within seconds, or are as lost as we are.
 */
export const seekStrangersMs = 4 * controlPeriodMs;
export const solitudeMsMax = 10_000;

/** Births that a cell has under way at a time; more would only make each slower. */
export const gestationsMax = 3;

/** A handed-down birth passes at most this many cells: the depth of a family of 4^12 cells. */
export const handDownHopsMax = 12;

/** How long a cell's tombstone is kept: far above any partition of a Unix socket link, so that nobody is resurrected. */
export const tombstoneMs = 600_000;

/** Cells that each cell looks after at each control period, in turn: a roster of 40 in five seconds. */
export const patrolPerPeriod = 2;

/** A relative's tally counts for so long: six are lost in a row only when something is wrong with it. */
export const tallyFreshMs = 6 * controlPeriodMs;

/** Tombstones kept at most, oldest dropped first: a crash loop of one drone a second for ten minutes. */
export const tombstonesMax = 1_000;

/** An orphan waits this long for an elder's answer before it tries the next. */
export const adoptionTimeoutMs = 1_000;

/** After its drain time an organism that was told to stop gives its cells this long to end themselves. */
export const stopGraceMs = 1_000;

/** How many living cells call for a neuron when there is none: enough that one death does not silence them. */
export const callersForNeuronMax = 3;

/**
 * So long a cell is seen to be worn out, or outdated, before anybody acts on it: a heap that is about to be collected is no
 * leak, and a cell may be newer than what we have heard.
 */
export const wornMsMin = 10_000;

/** CPU time that the cgroup's quota takes away, in thousandths, from which on more processes only share less. */
export const throttledMilliMax = 500;

/** Those of a class that are replaced at a time: one, or one in so many. */
export const renewalShare = 10;

/** An egg is trusted with the organism after this: it listens by then, and who is no process has been found out. */
export const eggSettlesMs = 2_000;

/** So fresh an egg's answer is that we may leave on it: it was asked at the look before. */
export const eggAnswerFreshMs = 2 * controlPeriodMs;

/** What a cell says that has no requests of its own: that it was never asked. */
export const quietMsMax = 2 ** 31;

/** A newborn votes only after this: an infected cell that divides in a hurry does not get to outvote the others soon. */
export const maturityMs = 5_000;

/** With fewer there is no kill vote: of two, one would be judge in its own cause. */
export const electorateMin = 3;

/**
 * Up to so many all vote; above, so many are drawn. Where a jury came to no verdict (too many of it hang themselves) the
 * next window's is larger, and after that everybody votes.
 */
export const jurySizes = [31, 61, Number.POSITIVE_INFINITY] as const;

/**
 * So long a cell counts as new to the vote: new seats of one line are fewer than those that were there before. Longer than
 * an infection takes to be found by probes (seconds), and three ballot windows to end it in.
 */
export const lineageWindowMs = 30_000;

/**
 * Who is heard of within this time after the third of them belongs to an organism's founders: they count as long known together
 * with the first three. Else these three were the whole electorate for the seconds until the others' time has come.
 */
export const foundingMs = 10_000;

/** Of a new line's seats and its mother together so many more others must be there: they are outvoted then. */
export const lineageMargin = 3;

/** How long a charge stands, and over how long a voter's kills are counted. */
export const ballotWindowMs = 10_000;

/** So long before a window's end a vote may come too early for the others', and is repeated in the next: patience differs by less. */
export const ballotEndMs = 3_000;

/** Charges held at a time: far above what honest cells bring in two windows. */
export const ballotsMax = 256;

/** Votes in one certificate: what an organism of 20,000 needs where everybody votes. */
export const certificateVotesMax = 10_001;

/** A voter's open votes that are heeded, as a multiple of what it may sign: others may count the electorate differently. */
export const voteBudgetSlack = 2;

/**
 * A suspect that nobody could vote out for so long after its time was over is given up: its place counts as vacant and is
 * regrown. One window for the vote, and half of one for the votes to meet. Where half of the cells hang no majority is
 * left to end them; those who take their places are.
 */
export const givenUpMs = 15_000;

/** So many cells a newborn asks before it takes part in sentences: half a minute's probes. */
export const acquaintancesMax = 120;

/** Looks in a row at which two relatives hold different records and neither learns anything: then they compare. */
export const discordPeriodsMax = 8;

/** A later executor waits so much longer than the one before. */
export const executorStepMs = 250;

/** A hole in a cell's own time beyond this makes it doubt itself: the time that others have to answer it. */
export const ownGapMs = 100;

/** How bad a cell may find its own health (Lifeguard), and from where on it accuses nobody. */
export const healthScoreMax = 7;
export const healthScoreToAccuse = 4;

/**
 * Suspicion lasts from max down to min, as others confirm it. The least is memberlist's; its longest is twice ours, for there a
 * suspicion alone is a sentence, while here a majority has to find the same, each by asking for itself.
 */
export const suspicionFactorMin = 4;
export const suspicionFactorMax = 3;
export const confirmationsMax = 3;

/** Mean utilization from which on it tells no more how much work there is: all that a saturated cell can be is busy. */
export const saturatedMilli = 900;

/** What comes is compared with what is done over this share of the panic window: long enough for a few looks. */
export const flowWindowShare = 3;

/** As many times what is there are wanted at most at a time, whatever comes: an app that answers nothing has no rate. */
export const flowRatioMilliMax = 4_000;

/** A burst: the short window wants so many thousandths of what is there. */
export const panicRatio = 2_000;

/** Links that testimony passes at most: far above the depth of any family, so that it ends where links change under it. */
export const testimonyHopsMax = 64;

/** So long after the last evidence a T cell is still wanted: an attacker's buckets are half empty by then. */
export const quietMs = 600_000;

/** Bans on record, the oldest dropped first: they are news, and what is no news any more is in the memory. */
export const bansHeldMax = 2_000;

/** An elder that does not answer is kept for so long: two more questions, and well under the shortest suspicion. */
export const silentElderMs = 2 * controlPeriodMs;
