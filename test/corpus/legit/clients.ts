/** Who sends requests: browsers, apps, programs, bots; and the cookies that frameworks and services set. */

export const USER_AGENTS: readonly string[] = [
  "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A.250205.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/480.0.0.0;]",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
  "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)",
  "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
  "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
  "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
  "Twitterbot/1.0", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "WhatsApp/2.23.20.0", "TelegramBot (like TwitterBot)", "Discordbot/2.0; +https://discordapp.com",
  "curl/8.11.0", "Wget/1.24.5", "python-requests/2.32.3", "python-httpx/0.27.0", "aiohttp/3.9 Python/3.12", "Go-http-client/2.0", "okhttp/4.12.0", "axios/1.7.9", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "undici", "Java/21.0.1", "Apache-HttpClient/4.5.14 (Java/17.0.9)", "RestSharp/111.4.1.0", "PostmanRuntime/7.42.0", "insomnia/10.1.1", "GuzzleHttp/7", "Ruby", "Faraday v2.12.0", "libwww-perl/6.77", "Dart/3.5 (dart:io)", "CFNetwork/1568.200.51 Darwin/24.1.0", "MyApp/5.2 (com.example.app; build:123; iOS 18.1.0) Alamofire/5.9.1", "Dalvik/2.1.0 (Linux; U; Android 14; SM-S911B Build/UP1A.231005.007)",
  "kube-probe/1.31", "ELB-HealthChecker/2.0", "GoogleHC/1.0", "Prometheus/2.55.0", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "UptimeRobot/2.0; http://www.uptimerobot.com/", "StatusCake", "Blackbox Exporter/0.25.0", "Datadog/Synthetics", "Stripe/1.0 (+https://stripe.com/docs/webhooks)", "GitHub-Hookshot/044aadd", "Shopify-Captain-Hook", "SendGrid Event API", "Slackbot 1.0 (+https://api.slack.com/robots)", "Zapier", "Let's Encrypt validation server; +https://www.letsencrypt.org", "W3C_Validator/1.3 http://validator.w3.org/services", "Lynx/2.9.0dev.12 libwww-FM/2.14", "w3m/0.5.3+git20230121", "ApacheBench/2.3", "Barcode Scanner/4.7 (Android 14; zxing)", "QR Scanner App 2.1", "Mozilla/5.0 (iPad; Retina; CPU OS 18_1 like Mac OS X)", "HydraPlayer/3.0", "Xenu Link Sleuth/1.3.8", "Sitebulb/8", "Screaming Frog SEO Spider/20.0", "Nextcloud-android/3.30", "PHP-SOAP/8.3.1", "Microsoft Office Excel/16.0", "Kodi/21.0 (X11; Linux x86_64)", "k6/0.54.0 (https://k6.io/)",
];

export const COOKIES: readonly string[] = [
  "connect.sid=s%3A4mXjJp0rJ1hB1jv8T1Yv3xv9z8Wl8mX2.b%2Fq1hB7kV9xg0O6o3b4r%2B0l5q4k7T0zYk0a1c2d3e4f",
  "next-auth.session-token=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..5Kp3k0JYq9o7mR2v.abc_DEF-123.x-Y_z; next-auth.csrf-token=8f14e45fceea167a5a36dedd4bea2543%7C1679091c5a880faf6fb5e6087eb1b2dc; next-auth.callback-url=https%3A%2F%2Fexample.org%2Faccount",
  "laravel_session=eyJpdiI6Ik1UVk5hR2c9PSIsInZhbHVlIjoiYWJjIiwibWFjIjoiMTIzIiwidGFnIjoiIn0%3D; XSRF-TOKEN=eyJpdiI6IkFCQ0Q9PSIsInZhbHVlIjoiZGVmIiwibWFjIjoiNDU2In0%3D",
  "_myapp_session=BAh7B0kiD3Nlc3Npb25faWQGOgZFVEkiJWE4YjljMGQxZTJmMwY7AFRJIgpmbGFzaAY7AFR7AA%3D%3D--8d3b1c2f4a5e6d7c8b9a0f1e2d3c4b5a6f7e8d9c",
  "csrftoken=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ12; sessionid=x1y2z3a4b5c6d7e8f9g0h1i2j3k4l5m6; messages=\"a1b2c3$[[\\\"__json_message\\\"\\0540\\05425\\054\\\"Saved.\\\"]]\"",
  "_ga=GA1.1.1234567890.1732624200; _ga_ABC123DEF4=GS1.1.1732624200.3.1.1732624300.0.0.0; _gid=GA1.2.987654321.1732624200; _gcl_au=1.1.111111111.1732624200; _fbp=fb.1.1732624200000.123456789",
  "OptanonConsent=isGpcEnabled=0&datestamp=Wed+Nov+26+2025+12%3A30%3A00+GMT%2B0100+(Central+European+Standard+Time)&version=202405.1.0&isIABGlobal=false&hosts=&consentId=9115d58c&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A0&geolocation=DE%3BBE&AwaitingReconsent=false; OptanonAlertBoxClosed=2025-11-26T11:30:00.000Z",
  "CookieConsent={stamp:%27abcDEF==%27%2Cnecessary:true%2Cpreferences:false%2Cstatistics:true%2Cmarketing:false%2Cmethod:%27explicit%27%2Cver:1%2Cutc:1732624200000%2Cregion:%27de%27}",
  "euconsent-v2=CPzW4sAPzW4sAAGABCENDOCsAP_AAAAAAAYgJ4tf_X__b2_j-_5_f_t0eY1P9_7__-0zjhfdl-8N2f_X_L8X42M7vB36pq4KuR4Eu3LBIQdlHOHcTUmw6okVrTPsbk2Mr7NKJ7PEmnMbe2dYGH9_n93T-ZKY7_",
  "PHPSESSID=r2t5uvjq435r4q7ib3vtdjq120; wordpress_logged_in_abc=anna%7C1732797000%7CxYz%7C0f1e2d; wp-settings-time-1=1732624200; wp-settings-1=libraryContent%3Dbrowse%26editor%3Dtinymce",
  "JSESSIONID=0000A1b2C3d4E5f6G7h8:-1; BIGipServerpool_web=1677787402.36895.0000; TS01abc=01a2b3c4",
  "ASP.NET_SessionId=abcdefghijklmnopqrstuvwx; .AspNetCore.Antiforgery.xyz=CfDJ8Nxyz_abc-DEF; .AspNetCore.Culture=c%3Den-US%7Cuic%3Den-US",
  "__cf_bm=abc.DEF_ghi-1732624200-1.0.1.1-xyz; cf_clearance=abc-1732624200-1.2.1.1-DEF_ghi; __Secure-ENID=12.SE=abc; AWSALB=abc+DEF/ghi=; AWSALBCORS=abc+DEF/ghi=",
  "amplitude_id_abc=eyJkZXZpY2VJZCI6ImFiYyIsInVzZXJJZCI6bnVsbCwib3B0T3V0IjpmYWxzZX0=; mp_123_mixpanel=%7B%22distinct_id%22%3A%20%22%24device%3A19%22%2C%22%24device_id%22%3A%20%2219%22%2C%22%24initial_referrer%22%3A%20%22%24direct%22%2C%22%24search_engine%22%3A%20%22google%22%7D",
  "ajs_user_id=%22123%22; ajs_anonymous_id=%229115d58c-bcda%22; intercom-session-abc=TXVkZXJzZXNzaW9u--1a2b3c; hubspotutk=abc; __hstc=1.abc.1732624200000.1732624200000.1732624200000.1; _hjSessionUser_1=eyJpZCI6ImFiYyJ9; optimizelyEndUserId=oeu1732624200000r0.123",
  "lang=de; theme=dark; currency=EUR; recently=12,15,99; sort=price%20asc; basket={\"items\":[{\"id\":5,\"n\":2}]}; view=grid|list; tz=Europe/Berlin; font-size=1.2em; greeting=Hello%2C%20O'Brien!",
  "sb-abc-auth-token=base64-eyJhY2Nlc3NfdG9rZW4iOiJhYmMiLCJyZWZyZXNoX3Rva2VuIjoiZGVmIn0; __session=eyJhbGciOiJSUzI1NiIsImtpZCI6ImFiYyJ9.eyJzdWIiOiJ1c2VyXzEifQ.abc-_x; __client_uat=1732624200; appSession.0=eyJhbGciOiJkaXIifQ..abc; appSession.1=def",
  "visitor_id=a%3A2%3A%7Bs%3A2%3A%22id%22%3Bi%3A5%3Bs%3A1%3A%22n%22%3Bs%3A4%3A%22Anna%22%3B%7D; cookieyes-consent=consentid:abc,consent:yes,action:yes,necessary:yes,functional:no; moove_gdpr_popup=%7B%22strict%22%3A%221%22%2C%22thirdparty%22%3A%221%22%7D; didomi_token=eyJ1c2VyX2lkIjoiMTkifQ==; cmplz_banner-status=dismissed; _pk_id.1.1fff=abc.1732624200.; _pk_ref.1.1fff=%5B%22%22%2C%22%22%2C1732624200%2C%22https%3A%2F%2Fwww.google.com%2F%22%5D",
];

export const LANGUAGES: readonly string[] = ["en-GB,en;q=0.7,de;q=0.3", "de-DE,de;q=0.9", "fr-FR,fr;q=0.9,en;q=0.5", "zh-CN,zh;q=0.9", "*", "ja", "ar-EG,ar;q=0.8", "pt-BR", "en"];

export const REFERERS: readonly string[] = [
  "https://www.google.com/", "https://www.google.com/url?sa=t&rct=j&q=&esrc=s&source=web&cd=&ved=2ahUKEwi&url=https%3A%2F%2Fexample.org%2F&usg=AOvVaw0", "https://example.org/search?q=rock+%26+roll&page=2", "https://example.org/a?b=%22quoted%22&c=it%27s", "https://t.co/abc123", "android-app://com.google.android.gm/", "https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.org%2F&h=AT0abc", "https://duckduckgo.com/?q=how+to+select+from+a+list&t=h_", "https://example.org/#section(2)", "https://www.baidu.com/link?url=abc-DEF_", "https://example.org/products/men's-shoes", "https://example.org/?utm_source=mail&utm_content=50%25+off%21", "http://localhost:3000/", "https://example.org/forum/thread/how-to-drop-table-in-mysql?id=5#post-7",
];

/** Headers of proxies, tracing, browsers; each a list of name and value. */
export const EXTRA_HEADERS: ReadonlyArray<readonly string[]> = [
  ["X-Forwarded-For", "203.0.113.7, 10.0.0.1", "X-Forwarded-Proto", "https", "X-Real-IP", "203.0.113.7", "X-Forwarded-Host", "example.org", "X-Forwarded-Port", "443"],
  ["Via", "1.1 varnish (Varnish/7.1), 2 fly.io", "Forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43, for=\"[2001:db8:cafe::17]:4711\""],
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
  ["sentry-trace", "771a43a4192642f0b136d5159a501700-7b2c1d3e4f5a6b7c-1", "baggage", "sentry-trace_id=771a43a4192642f0b136d5159a501700,sentry-environment=production,sentry-release=app%401.2.3,sentry-public_key=abc,sentry-transaction=GET%20%2Fusers%2F%5Bid%5D"],
  ["X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Self=1-67891234-12456789abcdef012345678", "X-Amz-Cf-Id", "abcDEF-_=="],
  ["CF-Connecting-IP", "203.0.113.7", "CF-Ray", "8e8a1b2c3d4e5f60-FRA", "CF-Visitor", "{\"scheme\":\"https\"}", "CDN-Loop", "cloudflare; loops=1", "CF-IPCountry", "DE"],
  ["If-None-Match", "W/\"5e-17d4b2c3\", \"abc\"", "If-Modified-Since", "Wed, 26 Nov 2025 11:30:00 GMT"],
  ["Range", "bytes=0-1023"], ["Range", "bytes=500-999, 7000-7999"], ["Range", "bytes=-500"],
  ["Sec-CH-UA", "\"Chromium\";v=\"142\", \"Not?A_Brand\";v=\"99\", \"Google Chrome\";v=\"142\"", "Sec-CH-UA-Mobile", "?0", "Sec-CH-UA-Platform", "\"Windows\"", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-User", "?1", "Sec-Fetch-Dest", "document", "Upgrade-Insecure-Requests", "1", "Priority", "u=0, i"],
  ["Origin", "https://example.org", "X-Requested-With", "XMLHttpRequest", "X-CSRF-Token", "8f14e45f-ceea/167a+5a36=="],
  ["Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_DEF"], ["Authorization", "Basic YW5uYTpzM2NyM3Q="], ["Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20251126/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-date, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024"],
  ["Authorization", "Digest username=\"O'Brien\", realm=\"a@b\", nonce=\"dcd98b\", uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f\", response=\"6629fae4\", opaque=\"5ccc\""],
  ["Stripe-Signature", "t=1614308115,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd,v0=6ffbb59b"], ["X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "X-GitHub-Event", "push", "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"],
  ["DNT", "1", "Sec-GPC", "1", "Save-Data", "on"], ["Prefer", "return=minimal; wait=10"], ["Accept-Encoding", "gzip, deflate, br, zstd", "TE", "trailers"], ["HX-Request", "true", "HX-Current-URL", "https://example.org/a?b='c'", "HX-Target", "list"], ["Next-Action", "7f0a", "Next-Router-State-Tree", "%5B%22%22%2C%7B%22children%22%3A%5B%22__PAGE__%22%2C%7B%7D%5D%7D%2Cnull%2Cnull%2Ctrue%5D"], ["RSC", "1", "Next-Url", "/en"], ["X-Inertia", "true", "X-Inertia-Version", "abc"], ["Cache-Control", "no-cache", "Pragma", "no-cache"], ["apollographql-client-name", "web", "x-apollo-operation-name", "GetUser"], ["Idempotency-Key", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""], ["X-Shopify-Topic", "orders/create", "X-Shopify-Hmac-Sha256", "XWmrwMey6OsLMeiZKwP4FppHH3cmAiiJJAweH5Jo4bM="], ["From", "crawler@example.org"], ["X-Client-Data", "CIa2yQEIpbbJAQipncoBCMD"], ["X-Device", "{\"os\":\"ios\",\"v\":\"18.1\"}"], ["Connection", "keep-alive"], ["Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Protocol", "graphql-transport-ws, chat"], ["Link", "<https://example.org/a>; rel=\"next\""], ["Expect", "100-continue"], ["Accept-Charset", "utf-8, iso-8859-1;q=0.5"], ["X-HTTP-Method-Override", "PATCH"], ["Depth", "1"],
];
