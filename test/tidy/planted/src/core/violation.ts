// Not part of the program: what the tidy tests must catch. Every line of it is wrong in a pure folder.
import fs from "node:fs";
import { readProc } from "../host/proc.ts";

export const now = Date.now() + Math.random();
setTimeout(() => fs.statSync(process.cwd()), 1);
export { readProc };
