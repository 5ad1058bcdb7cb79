import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT_AND_HEADERS } from "../places.ts";

const tools =
  oneOf(`acunetix appscan appspider arachni bewica-security-scan bfac burp\\s?(?:suite|collaborator) cmsmap commix detectify dirb dirbuster dirsearch dotdotpwn droopescan
  evilscanner fimap feroxbuster ffuf fhscan fuzz\\s?faster ghauri gobuster golismero graphw00f graphql-cop grendel-scan havij hexometer httprobe inspath inspathx ironwasp jaascois
  jbrofuzz joomscan jorgee jsql kadimus katana(?:/|$) l9explore l9tcpid l9scan lfimap lfisuite libwhisker masscan metasploit morfeus mozlila msfconsole nessus netlab360 netsparker nettacker nikto nmap nsauditor n-stealth n-stalker noseyparker nuclei
  openvas owasp[ _-]?zap pangolin panoptic pmafind projectdiscovery psbot qualys(?:guard)? rustscan s\\.?q\\.?l\\.?map sqlninja sqlpower sqlsus shortscan skipfish sitelockspider springenwerk sslscan sstimap subfinder sysscan t3lnet tinja toata tplmap trufflehog tsunamisecurityscanner
  uil2pn voideye w3af wapiti webbandit webinspect webshag webtrends\\s?security webvulnscan wfuzz whatwaf whatweb whcc wpprobe wprecon wpscan xsstrike xsser xspider yeswehack-hunter zaproxy zgrab zmeu zmap(?:/|$) interactsh nosqlmap `);

export const scanner: Filter = {
  id: 100_901,
  name: "scanner",
  message: "The client is a tool that looks for holes",
  attackClass: "scanner",
  score: 5,
  catches:
    "User agents and headers of known scanners (sqlmap, Nikto, Nuclei, WPScan ...), and the addresses of their helpers in values.",
  letsPass: "Programs and bots of any other kind: curl, libraries, search engines, monitoring.",
  example: "sqlmap/1.8#stable (https://sqlmap.org)",
  places: ["user-agent"],
  checks: [
    pattern("plain", `(?:^|[^\\w])${tools}`, { inText: "counts" }),
    pattern(
      "plain",
      `^mozilla/5\\.g|^mozilla/4\\.0 \\(hydra\\)|^\\(hydra\\)|^<\\?php|^(?:\\(?\\)? *\\{)|^fuzz\\b|^test(?:ing)?\\s*scan|\\bsecurityagent\\b|\\bsecurity[ -]?scan(?:ner)?\\b|\\bvuln(?:erability)?[ -]?scan|^betabot|^faster$|\\bfuzz faster u fool\\b`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `\\b(?:acunetix_wvs|acunetix-\\w+|by_wvs|bsqlbf|burpcollaborator\\.net|interact\\.sh|oast\\.(?:pro|live|site|online|fun|me)|oastify\\.com|dnslog\\.cn|ceye\\.io|bxss\\.me|xss\\.ht|sqlmap\\.(?:org|net)|nessus-\\w+|nikto-|netsparker\\w*|qualys-scan|appscan_fingerprint|w00tw00t)\\b`,
      { places: [...INPUT_AND_HEADERS, "path"] },
    ),
  ],
};
