/**
 * The command line's only door to the DNA: loaded when a command needs it, since the schema library behind it
 * takes longer to load than `cellws ps` takes altogether.
 */

/** As far as the command line looks at it. */
export interface DnaDiagnostic {
  code: string;
  message: string;
  path?: string;
}

export type DnaResult =
  | { ok: true; revision: string; dnaFile: string | null; warnings: readonly DnaDiagnostic[] }
  | { ok: false; diagnostics: readonly DnaDiagnostic[] };

export interface DnaLoader {
  loadDna: (request: {
    cwd: string;
    dnaFile?: string;
    app?: string;
    overrides?: Record<string, unknown>;
  }) => Promise<DnaResult>;
  formatDiagnostics: (diagnostics: readonly DnaDiagnostic[], options: { color: boolean; columns?: number }) => string;
}

export async function importDnaLoader(): Promise<DnaLoader> {
  const modules = ["../dna/load.ts", "../dna/diagnostic.ts"];
  const [load, diagnostic] = (await Promise.all(modules.map((module) => import(module)))) as [
    Pick<DnaLoader, "loadDna">,
    Pick<DnaLoader, "formatDiagnostics">,
  ];
  return { loadDna: load.loadDna, formatDiagnostics: diagnostic.formatDiagnostics };
}
