import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

export const scriptingCode: Filter = {
  id: 100_704,
  name: "scripting-code",
  message: "A value holds code of Ruby, Perl or Python that runs programs",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Calls by which Ruby, Perl and Python run programs, read files or load objects: Process.spawn, IO.popen, __import__('os'), os.system, pickles.",
  letsPass: "The same within sentences or several lines.",
  example: "__import__('os').system('id')",
  places: INPUT,
  checks: [
    pattern(
      "script",
      `\\bprocess\\.(?:spawn|exec|fork|daemon|kill|clock_gettime)\\b|\\b(?:io|file|dir|kernel|open3|pty|ftp|object|marshal|yaml|erb|net::\\w+)(?:\\.|::)\\s*(?:popen\\w*|read\\w+|binread|write\\s*\\(|open\\w*\\s*\\(|read\\s*\\(|system|exec|spawn|glob|entries|unlink|delete|foreach|capture\\d?\\w*|pipeline|load|unsafe_load|new|const_get|send|eval|fork)\\b|\\b(?:instance|class|module)_(?:eval|exec)\\b|\\.send\\s*\\(?\\s*:\\w+|\\b(?:public_)?send\\s*\\(\\s*:|%x\\s*[({\\[|!'"]|\\bobjectspace\\b`,
    ),
    pattern(
      "plain",
      `\\b__(?:import|builtins|globals|class|subclasses|mro|bases?|code|dict|getattribute|reduce)__\\b|\\bos\\.(?:system|popen\\w*|exec\\w*|spawn\\w*|remove|environ|getenv|fork|listdir)\\b|\\bsubprocess\\.\\w+|\\b(?:pickle|cpickle|marshal|shelve|yaml|dill)\\.(?:loads?|unsafe_load|full_load)\\b|\\b(?:compile|exec|eval)\\s*\\(\\s*["'\`(]|!!python/\\w+|!ruby/\\w+|!!javax?\\.|\\bc?os\\s*\\n\\s*system\\b|\\bcommands\\.getoutput\\b|\\bsys\\.(?:modules|stdout|exit|path)\\b|\\bopen\\s*\\(\\s*["'][^"']*["']\\s*(?:,\\s*["'][rwab+]+["']\\s*)?\\)\\s*\\.\\s*(?:read|write)|\\bbuiltins\\b\\s*[.\\[]`,
    ),
    pattern(
      "plain",
      `@\\{\\s*\\[|@\\{\\s*(?:\\[|\\\\|\\w+\\s*\\()|\\$\\{\\s*(?:\\\\|\\^)|\\bqx\\s*[{(/|!'"\\[]|\\bopen\\s*\\(?\\s*(?:my\\s+)?[$\\w]+\\s*,\\s*["'][<>|+]|\\buse\\s+(?:socket|io::\\w+|strict|posix)\\b|\\b(?:system|exec)\\s*\\(?\\s*(?:qw|["'\`]/)|\\bprint\\s+\`|<\\s*/etc/|\\bmy\\s*[($@%]\\w+\\s*=|@\\{system|@\\{\\[`,
    ),
    pattern(
      "plain",
      `(?:^|[;{(=\\s|&])(?:spawn|syscall|exec|system|fork|popen|\`)\\s*[("'\`]\\s*(?:["'\`]?/|cat\\b|ls\\b|id\\b|whoami|curl|wget|nc\\b|bash|sh\\b|ping|uname|sleep|rm\\b|touch|echo)`,
    ),
    pattern(
      "raw",
      `^\\x80[\\x02-\\x05][^\\n]*(?:c__builtin__|cposix|cos\\n|csubprocess|\\x8c)|^(?:gASV|gAN9|gANj|gARL|Y3Bvc2l4|Y19fYnVpbHRpbl9f)[A-Za-z0-9+/=]{8,}|^\\x04\\x08[o\\[{]`,
      { places: ["argument", "body"] },
    ),
  ],
};
