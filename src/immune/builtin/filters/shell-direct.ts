import { pattern, type Filter } from "../filter.ts";
import { INPUT, INPUT_AND_HEADERS } from "../places.ts";
import { PLAIN_COMMANDS, COMMON_COMMANDS } from "./shell-words.ts";

const start = "^\\s*(?:['\"(]\\s*)?(?:(?:sudo|time|nohup|exec|env|busybox|eval)\\s+)*(?:/?(?:[\\w.?*-]+/)+)?";
const system =
  "(?:/+(?:etc|proc|root|var|home|bin|sbin|usr|tmp|dev|opt|sys|boot|lib|mnt|srv|\\?|\\*|\\[|[a-z]*[?*])|~/?\\.|\\.\\./|\\$\\{?home|\\.env\\b|\\.ssh|\\.git|wp-config|index\\.php|[a-z]:\\\\)";

/** Programs that hardly anybody names, and that run or read what they are told (see gtfobins.github.io). */
const rareTools = `aa-exec|agetty|ansible(?:-[a-z]+)?|aria2c|arj|ascii-xfr|ascii85|atobm|base32|base58|base64|basenc|bpftrace|bsdtar|bsdcat|busctl|busybox|byebug|bzip2|bunzip2|c89|c99|capsh|check_(?:by_ssh|cups|log|memory|raid|ssl_cert|statusfile)|chef(?:-[a-z]+|\\s+report)|choom|chroot|cobc|cowsay|cowthink|cpan|cpio|cpulimit|crontab|cscli|csplit|csvtool|cupsfilter|debugfs|dhclient|distcc|dmesg|dmidecode|dmsetup|dosbox|dvips|easy_install|efax|elvish|eqn|exiftool|facter|flock|fping6?|gcore|genisoimage|ghci?|ginsh|gtester|hexdump|hping3|iftop|ionice|iptables(?:-save)?|ispell|jjs|journalctl|jrunscript|knife|ksshell|ldconfig|lftp|logsave|loginctl|lsb_release|ltrace|lualatex|luatex|lwp-[a-z]+|mawk|mkfifo|mosquitto|msgattrib|msgcat|msgconv|msgfilter|msgmerge|msguniq|multitime|nawk|ncftp|netplan|nsenter|openvpn|openvt|opkg|pdflatex|pdftex|pkexec|perf|pexec|pftp|pidstat|psftp|pstree|ptx|redcarpet|readelf|restic|rlwrap|rpmdb|rpmquery|rpmverify|run-mailcap|rview|rvim|scanmem|setarch|setcap|setfacl|setsid|shuf|slsh|smbclient|socat|soelim|softlimit|ssh-(?:add|agent|keygen|keyscan|copy-id)|sshpass|start-stop-daemon|stdbuf|strace|systemd-resolve|tcpdump|tclsh|tshark|unexpand|unshare|unsquashfs|uudecode|uuencode|valgrind|varnishncsa|vimdiff|virsh|whiptail|xdotool|xelatex|xetex|xmodmap|xxd|zsoelim|zypper`;
const adminTools =
  "visudo|env|whoami|ifconfig|netstat|nmap|uname|ps|ls|cat|nc|ncat|netcat|bash|chmod|chown|rm|mv|cp|ping|nslookup|id|pwd|passwd|useradd|systemctl|iptables|mysqldump|sqlite3|awk|sed|grep|tac|head|tail|wget|curl|telnet|ssh|scp|sleep|echo|printenv|printf|kill|killall|dd|df|du|tar|gzip|unzip|vim|vi|nano|xargs|tee|tr|who";

export const shellDirect: Filter = {
  id: 100_502,
  name: "shell-direct",
  message: "A value is a command of a shell",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Values that are a command as a whole: programs by their path (/bin/cat), commands that read files of the system, fetch programs, open shells or show who runs the server.",
  letsPass:
    "Commands that people show each other (npm install, git commit, docker run, curl of an API), and all of them within sentences or several lines.",
  example: "/bin/cat /etc/passwd",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern(
      "shell",
      `(?:^|[^\\w.-])/(?:usr/(?:local/)?)?s?bin/+(?:[\\w?*\\[\\].-]*/)*(?:${PLAIN_COMMANDS}|${COMMON_COMMANDS}|[a-z]*[?*\\[][\\w?*\\[\\]]*)(?:$|[^\\w/])`,
    ),
    pattern(
      "shell",
      `${start}(?:cat|tac|nl|head|tail|more|less|od|xxd|hexdump|base64|strings|sort|uniq|rev|grep|egrep|awk|sed|cut|tee|ls|ll|dir|find|stat|file|rm|mv|cp|ln|chmod|chown|touch|mkdir|rmdir|tar|zip|unzip|gzip|gunzip|zcat|vi|vim|nano|ed|diff|wc|iconv|paste|source|readlink|scp|rsync|dd|unxz|xz|bzip2|zgrep|view|bash|sh|python\\d?|perl|php|ruby)\\s+(?:[^\\s]+\\s+){0,4}[^\\s]{0,32}${system}`,
      { places: INPUT },
    ),
    pattern(
      "shell",
      `${start}(?:wget|curl|fetch|lynx|axel|aria2c)\\s+(?:-{1,2}\\S+\\s+)*(?:['"]?(?:https?|ftp|file|gopher|dict)://)?(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\S+\\.(?:sh|txt|php|pl|py|exe|elf|bin)\\b|\\S+[^\\n]*\\|\\s*(?:ba|z|da|k)?sh|localhost)`,
      { places: INPUT },
    ),
    pattern(
      "shell",
      `^\\s*(?:wget|curl|nc|ncat|netcat|telnet|ping|nslookup|dig|host|tftp|ssh|whois|traceroute)\\s+(?:-\\w+\\s+(?:\\d+\\s+)?)*[\\w-]+(?:\\.[\\w-]+)+(?::\\d+|\\s+\\d{2,5})?(?:/\\S*)?\\s*[;|&]?\\s*$`,
      { places: INPUT },
    ),
    pattern(
      "shell",
      `^\\s*(?:whoami|ifconfig|ipconfig|netstat|printenv|uname|lsof|lsb_release|dmesg|systeminfo|tasklist|hostname|crontab|pwd|env|id|ps|ls)(?:\\s+aux|\\s+-{1,2}[\\w-]+(?:\\s+\\S+)?)+\\s*[;|&]?\\s*$|^\\s*(?:whoami|ifconfig|ipconfig|printenv|systeminfo|tasklist)\\s*[;|&]?\\s*$`,
      { places: INPUT },
    ),
    pattern(
      "shell",
      `\\b(?:ba|z|k|c|da)?sh\\s+-[a-z]*[ic]\\b|\\b(?:nc|ncat|netcat)\\b(?:\\s+\\S+)*\\s+-\\w*[ec]\\w*\\b|/dev/(?:tcp|udp)/|\\bmkfifo\\s+/|\\bsocat\\s+\\S*(?:exec|tcp|udp|openssl|unix|file):|\\b(?:python\\d?(?:\\.\\d+)?|perl|ruby|php|lua|node)\\s+-\\w*[cer]\\w*\\s+\\S*(?:import|use|require|fsockopen|system|exec|socket|print|puts|echo|os)\\b|\\brm\\s+-\\w*(?:rf|fr)\\w*\\s+[/~*.]|\\bchmod\\s+(?:[0-7]{3,4}|[ugoa]*\\+[rwxst]+)\\s+/?\\S|:\\s*\\(\\s*\\)\\s*\\{\\s*:|\\bxterm\\s+-display`,
    ),
    pattern(
      "shell",
      `\\|\\s*(?:sudo\\s+)?(?:ba|z|k|da)?sh\\b\\s*(?:$|[;|&)])|\\|\\s*(?:base64|xxd|openssl|perl|python\\d?|php|ruby|node|xargs)\\s+-\\w`,
    ),
    pattern(
      "shell",
      `^\\s*(?:time|strace|nohup|setsid|exec|watch|xargs|sudo|doas|command|timeout|ltrace|busybox|eval|nice)\\s+(?:-\\S+\\s+|\\d+\\w?\\s+)*(?:who|w|id|ls|cat|whoami|ps|pwd|uname|wget|curl|bash|sh|nc|ping|sleep|echo|date|rm|env|ifconfig|python\\d?|perl|php)\\s*(?:$|[;|&]|-|/)`,
      { places: INPUT },
    ),
    pattern(
      "shell",
      `^\\s*(?:sleep|timeout)\\s+\\d+[smh]?\\s*[;|&]*\\s*$|^\\s*ping\\s+(?:-\\w\\s*\\d*\\s+)+\\S+|^\\s*(?:vi|vim|ex|ed|less|man|awk|gawk|find|git|tar|zip|nmap|gdb|perl|env|ftp|rsync|ssh|tcpdump|mysql|psql|sqlite3)\\b[^\\n]*(?:!\\s*(?:/bin/)?(?:ba|z)?sh\\b|:!\\w|-exec\\b|system\\s*\\(|--checkpoint-action|-c\\s*:?!|\\\\!)`,
      { places: INPUT },
    ),
    pattern("shell", `^\\s*(?:\\w+=)?['"(]*(?:${rareTools})['"]?(?:\\s+['"\\w./~$-]\\S*){1,8}\\s*[;|&]?\\s*$`, {
      places: INPUT,
    }),
    pattern("shell", `^\\s*(?:visudo|vipw|vigr|chef-shell|ansible-console)\\s*[;|&]?\\s*$`, { places: INPUT }),
    // No program calls itself, or says that it comes from, a command with its arguments.
    pattern(
      "shell",
      `^\\s*(?:\\w+=)?(?:[;|&(]\\s*)*(?:(?:time|nohup|strace|sudo|exec|eval|env)\\s+)?(?:${rareTools}|${adminTools})(?:\\s+[\\w./~$:@-]|\\s*[;|&<>]|\\s*$)|[?&]\\w+=(?:${rareTools}|${adminTools})\\s+[-\\w]|[;|&\`]\\s*(?:${rareTools}|${adminTools})\\b`,
      { places: ["user-agent", "referer"] },
    ),
    pattern(
      "shell",
      `(?:^|[;|&\\s=])(?:set\\s+-o\\s+history|history\\s+-[acdrw]|unset\\s+hist\\w+|export\\s+hist\\w+)|\\$\\w+\\s+-[nlvpe]{2,}\\s|(?:^|[;&|])\\w+=(?:nc|ncat|bash|sh|curl|wget|python\\d?|perl|php|cat|id|whoami)\\s*(?:&&|;)`,
    ),
    pattern(
      "shell",
      `(?:^|[\\s"'=(;|&])(?:usr/(?:local/)?)?s?bin/+(?:${PLAIN_COMMANDS}|sleep|kill|touch|head|tail|less|more|sort)(?:$|[^\\w/.-])|\\brun-parts\\b|[;\\n]\\s*\\.(?:system|shell|load|import|output|once)\\s+\\S`,
      { places: INPUT_AND_HEADERS },
    ),
  ],
};
