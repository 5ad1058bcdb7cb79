/**
 * `cellws tree`: the family, each cell under its mother.
 *
 * Mothers die and their daughters live on; such a mother is drawn as a ghost, for without her the family would
 * fall into pieces that it is not in. Of ghosts often nothing is known but the id.
 */
import type { CellClass } from "../core/cell.ts";
import type { CellLifeState, CellRecord } from "../wire/control.ts";
import type { OrganismSurvey, SurveyedCell } from "../wire/survey.ts";
import type { Clock } from "./ps.ts";
import { ageMsOf } from "./ps.ts";
import type { Style } from "./style.ts";
import { classInk, glyphs, paint, stateInk } from "./style.ts";
import { formatAge, formatCount } from "./units.ts";

export function renderTree(survey: OrganismSurvey, clock: Clock, style: Style): string[] {
  const nodes = buildForest(survey);
  const lines = nodes.flatMap((root) => renderNode(root, { own: "", daughters: "" }, clock, style));
  return [...lines, "", legend(survey, nodes, style)];
}

export interface TreeJsonNode {
  id: string;
  /** False for a mother that has died; then all but the id may be null. */
  alive: boolean;
  class: CellClass | null;
  pid: number | null;
  generation: number | null;
  state: CellLifeState | null;
  daughters: TreeJsonNode[];
}

export function treeJson(survey: OrganismSurvey): { organism: string; revision: string; roots: TreeJsonNode[] } {
  return { organism: survey.organism, revision: survey.revision, roots: buildForest(survey).map(nodeJson) };
}

function nodeJson({ id, cell, record, daughters }: Node): TreeJsonNode {
  const self = cell ?? record;
  return {
    id,
    alive: cell !== null,
    class: self?.class ?? null,
    pid: cell?.pid ?? null,
    generation: self?.generation ?? null,
    state: cell?.state ?? null,
    daughters: daughters.map(nodeJson),
  };
}

interface Node {
  id: string;
  cell: SurveyedCell | null;
  record: CellRecord | null;
  daughters: Node[];
}

/** Roots in the order of their eldest: the survey comes eldest first, and so do daughters. */
function buildForest(survey: OrganismSurvey): Node[] {
  const living = new Map(survey.cells.map((cell) => [cell.id, cell]));
  const records = new Map(survey.ghosts.map((ghost) => [ghost.id, ghost]));
  const nodes = new Map<string, Node>();
  const roots: Node[] = [];

  const nodeOf = (id: string): Node => {
    const known = nodes.get(id);
    if (known !== undefined) return known;
    const node: Node = { id, cell: living.get(id) ?? null, record: records.get(id) ?? null, daughters: [] };
    nodes.set(id, node);
    const self = node.cell ?? node.record;
    const mother = self?.mother ?? null;
    const motherGeneration = mother === null ? undefined : (living.get(mother) ?? records.get(mother))?.generation;
    // Generations grow from mother to daughter. An edge that does not is an error somewhere, and could close a circle.
    const isSound = motherGeneration === undefined || motherGeneration < (self?.generation ?? 0);
    if (mother === null || !isSound) roots.push(node);
    else nodeOf(mother).daughters.push(node);
    return node;
  };
  for (const cell of survey.cells) nodeOf(cell.id);
  return roots;
}

function renderNode(node: Node, indent: { own: string; daughters: string }, clock: Clock, style: Style): string[] {
  const { branch, lastBranch, trunk, gap } = glyphs(style);
  const lines = [indent.own + describe(node, clock, style)];
  node.daughters.forEach((daughter, index) => {
    const isLast = index === node.daughters.length - 1;
    const own = indent.daughters + paint(style, "dim", isLast ? lastBranch : branch);
    const below = indent.daughters + paint(style, "dim", isLast ? gap : trunk);
    for (const line of renderNode(daughter, { own, daughters: below }, clock, style)) lines.push(line);
  });
  return lines;
}

function describe({ id, cell, record }: Node, clock: Clock, style: Style): string {
  if (cell === null) {
    const wasClass = record === null ? "" : ` ${record.class}`;
    return paint(style, "dim", `${glyphs(style).dead}${wasClass} ${id}`);
  }
  const ageMs = ageMsOf(cell.bornAt, clock);
  const state = cell.state === "live" ? "" : ` ${paint(style, stateInk[cell.state], cell.state)}`;
  const age = ageMs === null ? "" : paint(style, "dim", ` ${formatAge(ageMs)}`);
  return `${paint(style, classInk[cell.class], cell.class)} ${id} ${paint(style, "dim", `pid ${cell.pid}`)}${age}${state}`;
}

function legend(survey: OrganismSurvey, roots: readonly Node[], style: Style): string {
  const count = formatCount(survey.cells.length, "cell");
  const hasGhosts = roots.some(hasGhost);
  return paint(style, "dim", hasGhosts ? `${count}; ${glyphs(style).dead} marks the dead` : count);
}

function hasGhost(node: Node): boolean {
  return node.cell === null || node.daughters.some(hasGhost);
}
