/**
 * One HTTP POST, and what came of it. No redirects are followed: a report with a key in its headers goes where its owner
 * said and nowhere else.
 */
import { deliveryMsMax, type Delivery } from "./channel.ts";

/** Answers are read for the error that they may tell, and no further. */
const answerLengthMax = 300;
const retryAfterMsMax = 24 * 3_600_000;

export async function post(url: string, headers: Record<string, string>, body: string): Promise<Delivery> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(deliveryMsMax),
    });
  } catch (error) {
    return ofError(error);
  }
  const told = `${answer.status} ${await beginningOf(answer)}`.trim();
  if (answer.ok) return { outcome: "delivered", told };
  if (answer.status === 429 || answer.status >= 500) {
    const afterMs = retryAfterMs(answer.headers.get("retry-after"));
    return { outcome: "again", told, ...(afterMs === null ? {} : { afterMs }) };
  }
  return { outcome: "never", told };
}

function ofError(error: unknown): Delivery {
  const { name, message, cause } = error as Error & { cause?: { code?: string } };
  const code = cause?.code ?? name;
  const told = code === "TimeoutError" ? `no answer within ${deliveryMsMax} ms` : `${code}: ${message}`;
  // Nothing was sent before there was a connection.
  return { outcome: neverConnected.test(code) ? "again" : "perhaps", told };
}

const neverConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|.*_CERT(_.*)?|UNABLE_TO_.*)$/;

async function beginningOf(answer: Response): Promise<string> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return "";
  let text = "";
  try {
    const decoder = new TextDecoder();
    while (text.length < answerLengthMax) {
      const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // The status has come, and that is what counts.
  }
  await reader.cancel().catch(() => undefined);
  return text.slice(0, answerLengthMax).replaceAll(/\s+/g, " ");
}

/** Seconds only: the other form is a date by somebody else's clock. */
function retryAfterMs(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(retryAfterMsMax, Number(text) * 1_000) : null;
}
