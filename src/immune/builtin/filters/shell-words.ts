/** Names of programs, by how likely they are to be meant otherwise. */
import { oneOf } from "../filter.ts";

/** Words that mean a program wherever they stand at the beginning of a command. */
const plain = `whoami uname ifconfig ipconfig netstat nslookup wget curl netcat ncat socat telnet tftp bash zsh ksh csh tcsh
  dash ash fish busybox chmod chown chgrp passwd useradd adduser usermod groupadd sudo doas su crontab printenv
  hostname dmesg lsof lsmod lsblk lscpu lspci lsusb mkfifo mknod mktemp nohup strace ltrace tcpdump nmap
  traceroute tracepath arp iptables systemctl journalctl sshpass ssh scp sftp rsync xargs awk gawk mawk nawk sed
  grep egrep fgrep zgrep base64 base32 xxd hexdump gzip gunzip zcat bzip2 bunzip2 bzcat xz unxz xzcat tar zip
  unzip cpio dd mkdir rmdir killall pkill pgrep tac nl od rev uniq shuf wc basename dirname readlink realpath perl
  python python[23](?:\\.\\d+)? pip3? php[578]? ruby node npm npx gcc g\\+\\+ cc clang gdb cmake javac cargo rustc
  vim vi emacs nano ed ex docker kubectl ansible terraform git svn hg apt apt-get aptitude dpkg yum dnf rpm apk
  pacman mysql mysqldump psql sqlite3 mongo redis-cli openssl gpg certutil lynx w3m axel aria2c rlogin rsh nc id
  ls ps pwd env echo cat sh rm mv cp ln df du printf expr eval exec source nice ionice setsid stdbuf taskset
  unshare chroot chattr lsattr getfacl setfacl mesg pidof pstree top htop vmstat iostat lastlog tty stty tput tmux
  umount fdisk lsb_release hostnamectl timedatectl loginctl ip ss dig ping ping6 fping hping3 mtr whois getent
  getconf visudo chpasswd chage newgrp deluser userdel updatedb mlocate whereis dpkg-query debconf iconv objdump
  readelf nm ldd ld rbash sash tclsh irb pry ghc ocaml jjs jrunscript pdb run-parts rview rvim vimdiff sqlmap
  nikto hydra zipinfo xmllint xsltproc jq yq tee mailx sendmail mutt atq logname`;

/** Words of English (and other languages) too: what follows must look like a program's argument. */
const common = `find head tail more less sort cut paste join split tr touch kill sleep time timeout date who w type which
  command alias export set unset help history test true false diff cmp comm file watch wait jobs read link install
  service shutdown reboot halt poweroff init look column fold fmt expand bridge cancel chef cowsay crash dir del
  copy move ren rd md net reg sc start for if call users groups last script screen batch at as ar mail route host
  make go java view wish mount reset locate logger wall arch strings stat links lua julia expect finger fetch
  factor genie snap brew helm yarn R`;

export const PLAIN_COMMANDS = oneOf(plain);
export const COMMON_COMMANDS = oneOf(common);

/** All of them, for whoever has a word in hand. */
export const COMMANDS: ReadonlySet<string> = new Set(
  `${plain} ${common}`.split(/\s+/).filter((word) => /^\w+$/.test(word)),
);

/** What a program is called with, and sentences are not made of. */
export const ARGUMENT =
  "(?:-{1,2}\\w|[/~.]|\\$|['\"]?/|\\*|%\\w|https?:|[\\w.-]+\\.(?:php|sh|py|pl|txt|conf|ini|log|exe|bat|key|pem)\\b|\\d+(?:\\s*(?:[;|&\"'`)]|$)))";
