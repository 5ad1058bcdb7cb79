/**
 * Which of several named things is meant by the host that a client asks for: as certificates name hosts (RFC 9525).
 *
 * A wildcard stands for one whole label at the beginning, and for nothing else: `*.example.org` is for `a.example.org`,
 * not for `example.org`, not for `a.b.example.org`.
 */

export class ServerNames<T> {
  readonly #byName = new Map<string, T>();

  /** Names in lower case. Who comes first keeps a name. */
  add(names: readonly string[], value: T): void {
    for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, value);
  }

  /** The exact name goes before the wildcard. */
  find(host: string): T | undefined {
    // A client may write the root's dot.
    const name = (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
    const dot = name.indexOf(".");
    return this.#byName.get(name) ?? (dot <= 0 ? undefined : this.#byName.get(`*${name.slice(dot)}`));
  }
}
