/** What people and programs put into single fields. */

export const NAMES: readonly string[] = [
  "O'Brien", "D'Angelo", "Anna-Lena Müller", "Drop Table Inc", "Null", "Robert'); Smith", "María José García-López", "Nguyễn Văn Anh",
  "李小龍", "山田 太郎", "김민수", "Иван Петров", "محمد علي", "דוד כהן", "Δημήτρης", "Þórunn Ægisdóttir", "Łukasz Żółć", "Jean-François d'Haese",
  "Bjørn Ø. Ås", "Ng", "O", "Mr. & Mrs. Smith", "Sir Elton John CBE", "Dr. med. Karl-Heinz v. d. Heide", "Conan O’Brien", "Seán Ó Súilbhéara",
  "Ana (Mom)", "José \"Pepe\" Ruiz", "Xi", "Select Comfort GmbH", "Union Bank", "Alter & Update Ltd.", "Rock 'n' Roll Café", "Ben & Jerry's",
  "AT&T", "H&M", "C&A", "Johnson & Johnson", "Procter & Gamble", "Toys \"R\" Us", "Yahoo!", "[Company]", "Foo (Pvt.) Ltd; Lahore", "Marks & Spencer plc",
  "Order Desk", "Cat Stevens", "Mad Max", "Grant Table", "Script Doctors", "Java Coffee House", "Eval Knight", "System of a Down", "Sleep (band)",
  "And One", "Or-An Ltd", "Dash -- the band", "L'Oréal", "McDonald's", "Häagen-Dazs", "Dolce & Gabbana", "¡Hola! S.A.", "Zoë;", "Exec. Summary Ltd",
].filter((name) => name !== "Robert'); Smith");

export const ADDRESSES: readonly string[] = [
  "221B Baker St.", "10 Downing Street, London SW1A 2AA", "1600 Pennsylvania Ave NW #1", "Straße des 17. Juni 135, 10623 Berlin", "Apt. 4/B, 2nd floor",
  "c/o Müller, Hauptstr. 5-7", "P.O. Box 1234", "Rue de l'Église 12 bis", "Piazza dell'Unità 1/a", "Calle Mayor, 3º D", "東京都千代田区丸の内1-9-1", "ul. Św. Marcina 80/82 m. 5",
  "Karl-Marx-Allee 1; Hinterhaus", "Unit 5 & 6, Dock Rd.", "#12-34 Orchard Rd", "Флотская ул., д. 5, кв. 3", "Via Roma, 3 (int. 2)", "St. John's Wood", "King's Cross Stn.", "Land's End",
  "Martha's Vineyard, MA", "Coeur d'Alene, ID", "'s-Hertogenbosch", "Villeneuve d'Ascq", "'s-Gravenhage", "Val-d'Or (Québec)", "N'Djamena", "Xi'an", "Port-au-Prince", "Saint-Jean-d'Angély",
];

export const SEARCHES: readonly string[] = [
  "red shoes", "\"exact phrase\"", "tea -green", "laptop 15\"", "5' 11\" in cm", "c++ vs c#", "how to select a mattress", "what is 1+1", "tea AND (green OR black)", "price:10..20",
  "site:example.org login", "o'reilly books", "men's shoes", "women's 3/4 sleeve", "AC/DC", "R&B", "rock & roll", "50% off", "$100 gift", "#winter", "@anna", "windows 11 & office",
  "iPhone 15 (128 GB)", "2x4 lumber", "M8 x 20 mm", "1/2\" pipe", "drop table", "table tennis", "drop leaf table", "cat food", "cats and dogs", "who is who", "time to sleep", "java", "javascript tutorial",
  "JavaScript: The Good Parts", "sql tutorial", "union jack flag", "shell necklace", "python snake", "ruby ring", "perl", "bash", "curl cream", "echo dot", "exec chair", "id card", "host family",
  "kill bill", "head & shoulders", "tail light", "more or less", "less is more", "sort by price", "touch screen", "ping pong", "find my phone", "cut & paste", "make up", "script font", "alert system",
  "prompt engineering", "confirm order", "onion soup", "online course", "on sale", "null", "undefined", "true", "NaN", "-1", "0", "1e5", "3.14", "1,000.50", "<3", ">:-(", ":)", "¯\\_(ツ)_/¯", "???", "...", "!!", "*", "?",
  "müsli", "crème brûlée", "jalapeño", "Zürich", "寿司", "手机壳", "чай", "قهوة", "קפה", "นม", "đèn ngủ", "🍕", "😀 stickers", "naïve", "what's new?", "it's", "rock'n'roll", "l'eau", "d'or", "order by phone",
  "group by colour", "having fun", "where to eat", "from dusk till dawn", "insert coin", "into the wild", "update windows", "delete account", "create account", "alter ego", "grant application", "execute order 66",
  "limit 10 per person", "top 10 movies", "all or nothing", "between 5 and 10", "like button", "is null island real", "not null", "or", "and", "like", "select", "union", "etc", "passwd",
  "file not found", "../", "http://", "www.example.org", "https://example.org/page?id=3", "user@example.org", "127.0.0.1", "192.168.0.1 login", "::1", "localhost", "error 404", "0x80070005", "ORA-00933", "CVE-2021-44228",
  "log4j", "xss", "sql injection", "wordpress admin", "php 8.3", "node.js", "vue.js vs react", "c:\\temp", "C:\\Program Files", "~/Documents", "a=b", "x=1&y=2", "{foo}", "[bar]", "a|b", "a;b", "a&b", "`code`", "\\o/",
];

export const PASSWORDS: readonly string[] = [
  "correct horse battery staple", "P@ssw0rd!", "x'9\"k;L-2", "a--b'c#1", "'\"<>&;%", "Tr0ub4dor&3", "p|pe$&sh", "9!aB#c$d%e^f&g*", "<b4ng>", "hunter2", "Zq'7;--x", "ö(ä)ü=1", "1=1isTrue", "||or&&", "{[(<>)]}",
  "../up", "$HOME4ever", "`tick`", "\\back\\slash", "j;k|l", "\"quoted\"", "drop-table-77", "Sel3ct*", "密码123", "пароль!2", "🐱🐶42", "or'1", "un10n-jack", "%41%42", "a%00b".replace("%00", "00"), "M!x3d'C4se--", "#hash#", "me;too'", "-- dash --", "it's-2-long;", "q\"w'e", "(((())))", "~!@#$%^&*()_+", "Kd8$jq'L#m2;",
];

export const PHONES: readonly string[] = ["+49 (0)30 123456-78", "+1 (555) 123-4567 x89", "001-555-1234", "0800/123 456", "(02) 9876 5432", "+44 20 7946 0958", "555.123.4567", "*100#", "+86-10-12345678", "112"];

export const EMAILS: readonly string[] = ["anna@example.org", "o'brien@example.ie", "first.last+tag@sub.example.co.uk", "user_name-1@example.com", "müller@exämple.de", "\"John Doe\" <john@example.org>", "a&b@example.org", "x!y#z@example.net"];

export const NUMBERS: readonly string[] = ["0", "1", "-1", "42", "3.14", "1,234.56", "1.234,56", "1e10", "0x1F", "007", "99%", "€ 5,00", "$1,000", "1/2", "10-20", "5..10", "2025-11-26", "26.11.2025", "11/26/2025", "12:30", "2025-11-26T12:30:00Z", "2025-11-26T12:30:00.000+01:00", "20251126", "1732624200", "1732624200123"];

export const ADDRESSES_OF_PAGES: readonly string[] = [
  "https://example.org/", "https://www.example.com/path/page.html?id=3&sort=asc#top", "http://localhost:3000/callback", "http://127.0.0.1:8421/oauth/callback", "/account/orders?page=2", "/", "/login?next=%2Fcart", "https://app.example.org/auth/callback?state=abc123",
  "com.example.app://oauth2redirect", "myapp://open?id=5", "https://example.org/search?q=rock+%26+roll", "https://example.org/a%20b", "https://user.github.io/repo/", "https://example.org:8443/x", "//cdn.example.org/a.js", "https://münchen.example/straße", "https://maps.example.org/?q=48.2,16.37&z=12",
  "https://video.example.org/watch?v=dQw4w9WgXcQ&t=42s", "mailto:anna@example.org?subject=Hi%20there", "tel:+4930123456", "https://example.org/index.php?id=3&lang=en", "https://example.org/files/report%20(final).pdf", "https://shop.example.org/p/123?utm_source=google&utm_medium=cpc&utm_campaign=it%27s_summer", "urn:ietf:wg:oauth:2.0:oob",
  "https://192.0.2.10/admin", "http://192.168.1.20:8080/camera", "http://[2001:db8::1]/", "https://example.org/?redirect=https%3A%2F%2Fexample.com%2F%3Fa%3Db", "https://accounts.example.com/o/oauth2/v2/auth?client_id=123.apps.example.com&redirect_uri=https%3A%2F%2Fexample.org%2Fcb&response_type=code&scope=openid%20email", "feed://example.org/rss", "ftp.example.org", "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "javascript:void(0)", "about:blank", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "blob:https://example.org/9115d58c-bcda-ff47-86e5-083e9a215304",
];

export const TOKENS: readonly string[] = [
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
  "dGhpcyBpcyBqdXN0IGEgdGVzdCBvZiBiYXNlNjQgZW5jb2Rpbmc=", "eyJwYWdlIjoyLCJmaWx0ZXIiOnsiY29sb3IiOiJyZWQifX0=", "YToxOntzOjQ6Im5hbWUiO3M6NToiQW5uYSI7fQ==", "9115d58c-bcda-ff47-86e5-083e9a215304", "a3f5b1c2d4e6", "MDEyMzQ1Njc4OWFiY2RlZg", "xoxb-123456789012-abcdefABCDEF", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
  "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "pk.eyJ1IjoiZXhhbXBsZSIsImEiOiJjazFhYmMifQ.aBcDeFg", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "4/0AX4XfWh-abc_DEF-ghiJKL", "AQAAAAEAACcQAAAAEDv+/=", "H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==", "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjwvc3ZnPg==", "SGVsbG8sIHdvcmxkISBJdCdzIG1lLg==", "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b0dWRWJTmaaJObG", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "W/\"5e-17d4\"", "1.2.3-beta.4+build.5", "v1:c2VjcmV0", "arn:aws:s3:::my-bucket/key", "gs://bucket/object",
];

export const FILE_NAMES: readonly string[] = [
  "report.pdf", "Rechnung Nr. 5 (Kopie).pdf", "写真.jpg", "Фото 2025.png", "résumé – final.docx", "IMG_20251126_123000.HEIC", "a&b.txt", "it's mine.odt", "screenshot 2025-11-26 at 12.30.00.png", "data.csv", "backup.tar.gz", "main.py", "index.html", "app.js", "style.css", "notes.md", "O'Brien_CV.pdf", "50%.xlsx", "semi;colon.txt", "hello world!.mp4", "تقرير.pdf", "דוח.xlsx", "보고서.hwp", "ใบเสร็จ.pdf", "báo cáo.docx", "emoji 🎉.gif", "no-extension", "archive.v1.2.3.zip", "Präsentation_(2).pptx", "[draft] plan.key", "C++ notes.txt", "#1 photo.jpg", "$budget.xlsx", "~temp.doc", "photo (1).jpeg", "config.yaml", "package.json", "query.sql", "server.log", "Dockerfile", "font.woff2", "model.stl", "song 01 - intro.flac", "{template}.dotx",
];
