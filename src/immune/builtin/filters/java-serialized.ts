import { pattern, type Filter } from "../filter.ts";
import { INPUT, INPUT_AND_HEADERS } from "../places.ts";

/**
 * Names of classes with which objects of Java are made to run programs, within longer base64: whichever of three places
 * of a group of four letters a name begins at, some letters of it stay the same.
 */
const names = `processbuilder clonetransformer forclosure instantiatefactory instantiatetransformer invokertransformer
  prototypeclonefactory prototypeserializationfactory whileclosure chainedtransformer templatesimpl getruntime
  ysoserial java.lang.Runtime java.lang.ProcessBuilder InvokerTransformer ChainedTransformer ObjectInputStream`;
const encodedNames = [
  ...new Set(names.split(/\s+/).flatMap((name) => [0, 1, 2].map((pad) => fixedLetters(name, pad)))),
].join("|");

function fixedLetters(name: string, pad: number): string {
  const whole = Buffer.from("\0".repeat(pad) + name, "latin1")
    .toString("base64")
    .replaceAll("=", "");
  // The letters at both ends also hold bits of what stands beside the name.
  const from = Math.ceil((pad * 8) / 6);
  const to = Math.floor(((pad + name.length) * 8) / 6);
  return whole.slice(from, to).replaceAll("+", "\\+");
}

export const javaSerialized: Filter = {
  id: 100_803,
  name: "java-serialized",
  message: "A value is a serialized object of Java or .NET",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Objects in the binary notations of Java and .NET, as bytes and in base64 and hexadecimal: whoever reads them back runs what they say.",
  letsPass: "Other base64; the view state of ASP.NET in its own field.",
  example: "rO0ABXNyABdqYXZhLnV0aWwuUHJpb3JpdHlRdWV1ZQ",
  places: [...INPUT_AND_HEADERS],
  checks: [
    pattern("raw", `(?:^|[^A-Za-z0-9+/])(?:rO0ABQ|rO0ABX|rO0ABY|rO0ABc|KztAAU|Cs7QAF|H4sIAAAAAAAA[/A]\\w*rO0)`, {
      inText: "counts",
    }),
    pattern("raw", `\\xac\\xed\\x00\\x05|^aced0005|\\xc2\\xac\\xc3\\xad\\x00\\x05`, { inText: "counts" }),
    pattern("raw", `^(?:AAEAAAD/////|/wEy|ew0KICAgICckdHlwZSc6)[A-Za-z0-9+/=]{8,}`, {
      places: INPUT,
      inText: "counts",
    }),
    pattern("raw", encodedNames, { inText: "counts", places: INPUT_AND_HEADERS }),
  ],
};
