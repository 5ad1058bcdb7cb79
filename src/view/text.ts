/**
 * Text that came from elsewhere, made fit for a terminal: an app, or a client whose request the app prints,
 * must not move our cursor, retitle the window or answer for the keyboard.
 */
import type { Style } from "./style.ts";

/**
 * Control characters become visible (`\x07`); tabs stay. Colours (SGR sequences) that the app has chosen stay
 * where the style has colour, closed at the end, and vanish where it has none.
 */
export function printable(text: string, style: Style): string {
  if (!UNPRINTABLE.test(text)) return text;
  const colored = text.includes("\x1b[");
  const parts = text.split(SGR_SEQUENCE);
  const colors = colored ? (text.match(SGR_SEQUENCE) ?? []) : [];
  const clean = parts.map((part, index) => escapeControls(part) + (style.color ? (colors[index] ?? "") : "")).join("");
  return style.color && colors.length > 0 ? `${clean}\x1b[0m` : clean;
}

/** Pads by what is seen: for text without colours or wide characters. */
export function pad(text: string, width: number, align: "left" | "right"): string {
  return align === "left" ? text.padEnd(width) : text.padStart(width);
}

// C0 without the tab, DEL, C1; and the marks that reorder text (bidirectional overrides).
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const UNPRINTABLE_ALL = new RegExp(UNPRINTABLE.source, "g");
// eslint-disable-next-line no-control-regex
const SGR_SEQUENCE = /\x1b\[[0-9;]{0,32}m/g;

function escapeControls(text: string): string {
  return text.replace(UNPRINTABLE_ALL, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}
