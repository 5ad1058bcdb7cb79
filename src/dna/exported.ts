/** From what a DNA file exports by default to the DNA: the file may export a function that makes it. */

export async function madeBy(exported: unknown): Promise<unknown> {
  const maker = interop(exported);
  return typeof maker === "function" ? await (maker as () => unknown)() : maker;
}

/** A TypeScript file that was compiled to CommonJS exports { __esModule: true, default: ... }. */
function interop(exported: unknown): unknown {
  const isCompiled =
    typeof exported === "object" && exported !== null && "__esModule" in exported && "default" in exported;
  return isCompiled ? exported.default : exported;
}
