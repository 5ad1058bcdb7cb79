import { pattern, type Filter } from "../filter.ts";
import { INPUT, INPUT_AND_HEADERS } from "../places.ts";

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
  ],
};
