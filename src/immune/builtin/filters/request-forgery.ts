import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

const metadata =
  oneOf(`169\\.254\\.169\\.254 169\\.254\\.170\\.2 169\\.254\\.170\\.23 169\\.254\\.169\\.253 169\\.254\\.0\\.1 100\\.100\\.100\\.200 192\\.0\\.0\\.192 168\\.63\\.129\\.16 metadata\\.google\\.internal metadata\\.goog metadata\\.azure\\.\\w+ metadata\\.packet\\.net metadata\\.platformequinix\\.com
  metadata\\.tencentyun\\.com metadata\\.internal instance-data\\.?\\w* rancher-metadata 2852039166 0xa9fea9fe 0xa9\\.0xfe\\.0xa9\\.0xfe 0251\\.0376\\.0251\\.0376 025177524776 \\[?(?:fd00:ec2::254|::ffff:a9fe:a9fe|0:0:0:0:0:ffff:a9fe:a9fe|::ffff:169\\.254\\.169\\.254)\\]?
  425\\.510\\.425\\.510 7147006462 169\\.254\\.43518 169\\.16689662 0xa9\\.254\\.169\\.254 0251\\.254\\.169\\.254 kubernetes\\.default(?:\\.svc\\S*)? [\\w.-]+\\.svc\\.cluster\\.local 169\\.254\\.169\\.254\\.(?:nip|xip|sslip)\\.io`);
const local =
  oneOf(`localhost\\d*(?:\\.localdomain\\d*)? localhost\\.\\w+ (?:[\\w.-]+\\.)?localtest\\.me (?:[\\w.-]+\\.)?lvh\\.me (?:[\\w.-]+\\.)?vcap\\.me (?:[\\w.-]+\\.)?lacolhost\\.com (?:[\\w.-]+\\.)?(?:127\\.\\d+\\.\\d+\\.\\d+|127-0-0-1|10-0-0-1)\\.(?:nip|xip|sslip)\\.io ip6-(?:localhost|loopback) ipv6-(?:localhost|loopback)
  (?:host|gateway|kubernetes|vm)\\.docker\\.internal host\\.containers\\.internal host\\.rancher-desktop\\.internal host\\.lima\\.internal host\\.minikube\\.internal docker\\.for\\.(?:mac|win)\\.localhost broadcasthost spoofed\\.burpcollaborator\\.net`);
/** Written so that only a careless reader takes them for an address: in octal, hexadecimal, as one number, shortened. */
const odd =
  "(?:0x[\\da-f]{1,8}(?:\\.0x[\\da-f]{1,2}){0,3}|0[0-7]{3,11}(?:\\.0*[0-7]{1,4}){0,3}|\\d{8,10}|127\\.\\d{1,3}(?:\\.\\d{1,3})?|0|0\\.0\\.0\\.0|\\[(?:::|::1|fe[89ab][\\da-f]:[^\\]\\s]*|[\\da-f:]*(?:169\\.254|127\\.0)[\\d.]*|0+(?::0+){0,6}:0*1|::ffff:[\\da-f.:]+|0+(?::0+)*:ffff:[\\da-f.:]+)\\]|(?:\\d{1,3}|0x[\\da-f]{1,2}|0[0-7]{1,3})(?:\\.(?:\\d{1,3}|0x[\\da-f]{1,2}|0[0-7]{1,3})){0,2}\\.(?:0x[\\da-f]{1,2}|0[0-7]{2,3})(?:\\.\\d{1,3})?)";
const scheme =
  "(?:https?|ftps?|gopher|dict|ldaps?|tftp|sftp|ws|wss|redis|mongodb|mysql|postgres(?:ql)?|jdbc:\\w+|file|netdoc|jar:https?|imaps?|smtps?|pop3s?|telnet|ssh|rtsp|rtmp|data|view-source|git|svn)";

export const requestForgery: Filter = {
  id: 100_706,
  name: "request-forgery",
  message: "A value would make the server call an address inside",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Addresses of the metadata services of clouds, of the machine itself and of what runs beside it in containers, however the number is written: a server that fetches what it is told gives away its keys.",
  letsPass:
    "Other addresses, private ones too; callbacks to http://127.0.0.1:port and http://localhost:port, as command-line tools and developers use them.",
  example: "http://169.254.169.254/latest/meta-data/",
  places: INPUT,
  checks: [
    pattern("plain", `(?:^|://|@|//|[\\s"'(=,])${metadata}(?:$|[/:?#\\s"'&,)]|\\.?/)`),
    pattern("plain", `(?:^|[^\\w])${scheme}:/{1,3}(?:[^/\\s@]*@)?${odd}(?:$|[/:?#\\\\])`),
    pattern(
      "plain",
      `^\\s*(?:${local})(?::\\d+)?/\\S*\\s*$|^\\s*(?:https?:)?//(?:[^/\\s@]*@)?${local}(?:/\\S*)?\\s*$`,
      { places: ["argument", "cookie"] },
    ),
    pattern(
      "plain",
      `/(?:latest|1\\.0|2\\d{3}-\\d\\d-\\d\\d)/(?:meta-data|user-data|dynamic)\\b|/computemetadata/v1|/metadata/(?:instance|identity|v1)\\b|/opc/v[12]/|/openstack/latest|/latest/api/token`,
    ),
    pattern(
      "plain",
      `(?:^|[^\\w])(?:gopher|dict|netdoc|ldaps?|tftp|jar:https?)://\\S+|(?:^|[^\\w])https?://[^/\\s]*(?:@|%40|\\\\@)(?:localhost|127\\.|169\\.254|10\\.|192\\.168|0\\.0|\\[::)|[\\xe2]\\x91[\\xa0-\\xbf]`,
    ),
    pattern(
      "plain",
      `^[a-z][a-z\\d+.-]{1,20}:/{0,3}(?:[^/\\s@]*@)?(?:0x[\\da-f]{8,}|0\\d{3,}(?:\\.0\\d*){3}|(?:0x[\\da-f]{2}\\.){3}0x[\\da-f]{2}|\\[(?:[\\da-f:]*:)?(?:ffff:)?(?:169\\.254[\\d.]*|a9fe:a9fe|127\\.[\\d.]+)\\]|2852039166|2130706433)(?:$|[/:?#])`,
    ),
    pattern("raw", `://[^/\\s]{0,40}(?:\\xe2[\\x91-\\x93][\\x80-\\xbf]|\\d\\xe3\\x80\\x82\\d|\\xef\\xbc[\\x90-\\x99])`),
    pattern(
      "plain",
      `^https?:(?:\\d{8,10}|0\\d{3}(?:\\.0\\d+){3})(?:$|[/:?#])|^https?://\\S*[\\s&#]+@?\\S*@\\d{1,3}(?:\\.\\d{1,3}){3}|^https?://(?:\\\\[a-z]){3}`,
    ),
  ],
};
