import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT_AND_HEADERS } from "../places.ts";

const etc =
  oneOf(`passwd shadow gshadow group hosts hostname issue motd fstab mtab crontab sudoers profile bashrc environment
  resolv\\.conf nsswitch\\.conf ld\\.so sysctl\\.conf os-release lsb-release redhat-release debian_version
  centos-release fedora-release ssh ssl pam\\.d rc\\.d init init\\.d cron\\.\\w+ sysconfig security selinux apache2? httpd nginx lighttpd
  php\\w* my\\.cnf mysql mariadb postgresql redis mongod?\\.conf elasticsearch docker kubernetes samba
  exports inetd\\.conf xinetd\\.\\w+ proftpd\\w* vsftpd\\w* pure-ftpd dovecot postfix exim4? squid named\\.conf bind network networks netplan
  modsecurity fail2ban letsencrypt logrotate\\.\\w+ syslog\\.conf rsyslog\\.\\w+ ldap openldap krb5\\w* tomcat\\w* chrootusers ftpchroot ftphosts
  shells services protocols alternatives default aliases mail apt yum\\.\\w+ grub\\w* modprobe\\.d udev X11 java jvm\\w* openvpn wpa_supplicant
  security systemd hadoop kafka zookeeper ansible puppet chef salt vmware-tools`);

/** Where a path begins at the root: behind a step up, a scheme or a mark, not within another path. */
const root = "(?:^|[\\s'\"=:,;(|&<>{`\\[\\\\]|\\.\\.|//|[%+]|\\d)/*";

export const localFile: Filter = {
  id: 100_402,
  name: "local-file",
  message: "A value names a file of the operating system",
  attackClass: "file-inclusion",
  score: 5,
  catches:
    "Paths of files that tell secrets or show that a hole is there: /etc/passwd, /proc/self/environ, logs of servers, keys and histories in home folders, win.ini and boot.ini, cloud and container credentials.",
  letsPass: "The same within sentences or several lines: instructions and bug reports name such files.",
  example: "/etc/passwd",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern("shell", "^/*(?:\\.\\./+)*etc/+(?:passwd|shadow|group|hosts|issue|motd|crontab|sudoers)(?:$|[^\\w.])", {
      places: ["path"],
    }),
    pattern("shell", `${root}etc(?:/+\\.?)+${etc}(?:$|[^\\w.]|\\.(?:bak|old|conf|d|db|\\W|$))`, {
      places: INPUT_AND_HEADERS,
    }),
    pattern(
      "shell",
      `(?:^|[^\\w.-])proc/+(?:self|thread-self|\\d+|net|sys|version|cmdline|cpuinfo|meminfo|mounts|partitions|modules|stat|swaps|uptime|config\\.gz|sched_debug|filesystems|interrupts|devices|loadavg|driver|bus|fs|tty|kallsyms|kcore|ioports|vmstat)\\b`,
    ),
    pattern(
      "shell",
      `(?:^|[^\\w.-])(?:var|usr/local|opt|private/var)/+(?:log|run|mail|spool|adm|lib/(?:mysql|php|mlocate|dpkg)|www/(?:logs|conf|html/\\.)|apache2?/(?:logs|conf)|nginx/(?:logs|conf)|etc|cpanel/logs|psa|lampp|tomcat\\d*)(?:/|$)`,
    ),
    pattern(
      "shell",
      `(?:^|[^\\w.-])(?:root|home/[\\w.-]+|users/[\\w.-]+|~\\w*)/+\\.(?:ssh|aws|azure|config|gcloud|kube|docker|gnupg|bash\\w*|zsh\\w*|profile|history|mysql_history|psql_history|pgpass|netrc|npmrc|git\\w*|vim\\w*|viminfo|env|cache|local|my\\.cnf|s3cfg|boto|k5login|rhosts|sh_history|python_history|node_repl_history|lesshst|selected_editor|wget-hsts|subversion|m2|gem|cargo|rustup|pypirc|dbshell|irb_history|php_history|rediscli_history|sqlite_history)`,
    ),
    pattern(
      "shell",
      `(?:^|[^\\w-])\\.(?:ssh/|aws/|azure/|kube/config|docker/config|dockerenv|gnupg/|htpasswd|htaccess|htdigest|bash_history|bash_profile|bashrc|zsh_history|zshrc|mysql_history|psql_history|pgpass|netrc|git/|git-credentials|gitconfig|svn/|hg/|bzr/|my\\.cnf|s3cfg|boto\\b|rhosts|npmrc|pypirc|password-store|google_authenticator|remote-sync\\.json|ftpconfig|terraform/|vagrant\\.d|claude/|cursor/|codex/|gemini/|aider|windsurf/|continue/)`,
      { places: ["argument", "name", "cookie", "body", "user-agent", "referer"] },
    ),
    pattern(
      "shell",
      `(?:^|[^\\w.-])(?:boot\\.ini|win\\.ini|system\\.ini|php\\.ini|my\\.ini|web\\.config|global\\.asax?|wp-config\\.php|localsettings\\.php|configuration\\.php|settings\\.inc\\.php|config\\.inc\\.php|sites-enabled|web-inf[/\\\\]\\w*|meta-inf[/\\\\]\\w*|unattend(?:ed)?\\.(?:xml|txt)|sysprep\\.inf|php-?info\\.php|ntuser\\.dat|\\.env(?:\\.(?:local|prod\\w*|dev\\w*|staging|bak|old|save))?)(?:$|[^\\w.-])`,
      { places: ["argument", "name", "cookie", "body"] },
    ),
    pattern(
      "plain",
      `(?:^|[a-z]:|[/\\\\%])[/\\\\]*(?:windows|winnt|%windir%|%systemroot%)[/\\\\]+(?:system32|syswow64|win\\.ini|system\\.ini|repair|panther|debug|temp|inf|php\\.ini|iis\\d?\\.log|windowsupdate\\.log)|[a-z]:[/\\\\]+(?:boot\\.ini|inetpub|xampp|wamp|windows[/\\\\]win|programdata|users[/\\\\][^/\\\\]+[/\\\\](?:ntuser|\\.ssh|\\.aws|appdata[/\\\\]roaming))`,
    ),
    pattern(
      "shell",
      `/var/run/secrets|/run/secrets/|/sys/(?:class|kernel|devices|firmware)/|/dev/(?:tcp|udp|mem|kmem|sd[a-z]|null|random|urandom|fd|shm|pts)\\b|/boot/grub|/usr/(?:local/)?(?:etc|lib/(?:php|cron))\\b|/tmp/\\.?\\w*sess|/opt/lampp|/sbin/(?:shutdown|reboot|init)`,
    ),
  ],
};
