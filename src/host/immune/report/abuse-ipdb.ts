/** Reports to AbuseIPDB (`POST /api/v2/report`), or to whoever takes the same form. */
import { toAbuseIpdb } from "../../../immune/report/abuse-ipdb.ts";
import type { ReportChannel } from "./channel.ts";
import { post } from "./post.ts";

export function abuseIpdbChannel({ url, key }: { url: string; key: string }): ReportChannel {
  return {
    name: "abuseipdb",
    async send(incident) {
      const body = new URLSearchParams({ ...toAbuseIpdb(incident) }).toString();
      const type = "application/x-www-form-urlencoded";
      return await post(url, { "content-type": type, accept: "application/json", key, "user-agent": "cellws" }, body);
    },
  };
}
