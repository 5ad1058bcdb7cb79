/** Names of programs, by how likely they are to be meant otherwise. */
import { oneOf } from "../filter.ts";

/** Words that mean a program wherever they stand at the beginning of a command. */
export const PLAIN_COMMANDS = oneOf(`whoami uname ifconfig ipconfig netstat nslookup wget curl netcat ncat socat telnet
  tftp bash zsh ksh csh tcsh dash ash fish busybox chmod chown chgrp passwd useradd adduser usermod groupadd sudo doas su
  crontab printenv hostname dmesg lsof lsmod lsblk lscpu lspci lsusb mkfifo mknod mktemp nohup strace ltrace tcpdump nmap
  traceroute tracepath arp iptables systemctl journalctl sshpass ssh scp sftp rsync xargs awk gawk mawk nawk sed grep
  egrep fgrep zgrep base64 base32 xxd hexdump gzip gunzip zcat bzip2 bunzip2 bzcat xz unxz xzcat tar zip unzip cpio dd
  mkdir rmdir killall pkill pgrep tac nl od rev uniq shuf wc stat basename dirname readlink realpath perl python
  python[23](?:\\.\\d+)? pip3? php[578]? ruby lua node npm npx yarn gcc g\\+\\+ cc clang gdb make cmake java javac go cargo rustc
  vim vi emacs nano ed ex docker kubectl helm ansible terraform git svn hg apt apt-get aptitude dpkg yum dnf rpm apk pacman brew
  snap mysql mysqldump psql sqlite3 mongo redis-cli openssl gpg certutil lynx links w3m fetch axel aria2c rlogin rsh
  nc id ls ps pwd env echo cat sh rm mv cp ln df du printf expr eval exec source nice ionice setsid stdbuf taskset unshare chroot
  chattr lsattr getfacl setfacl logger wall mesg pidof pstree top htop vmstat iostat last lastlog finger users groups
  arch tty stty reset tput screen tmux script mount umount fdisk lsb_release hostnamectl timedatectl loginctl
  ip ss route dig host ping ping6 fping hping3 mtr whois
  getent getconf visudo chpasswd chage newgrp adduser deluser userdel groups locate updatedb mlocate whereis
  dpkg-query debconf iconv strings objdump readelf nm ldd ar as ld zsh rbash sash tclsh wish expect irb pry ghc ocaml R julia
  factor genie jjs jrunscript mawk pdb run-parts rview rvim view vimdiff sqlmap nikto hydra
  zipinfo xmllint xsltproc jq yq tee mail mailx sendmail mutt at batch atq logname`);

/** Words of English (and other languages) too: what follows must look like a program's argument. */
export const COMMON_COMMANDS =
  oneOf(`find head tail more less sort cut paste join split tr touch kill sleep time timeout date who w
  type which command alias export set unset help history test true false diff cmp comm file watch wait jobs read
  link install service shutdown reboot halt poweroff init service look column fold fmt expand bridge cancel chef cowsay
  crash dir del copy move ren rd md net reg sc start for if call`);

/** What a program is called with, and sentences are not made of. */
export const ARGUMENT =
  "(?:-{1,2}\\w|[/~.]|\\$|['\"]?/|\\*|%\\w|https?:|[\\w.-]+\\.(?:php|sh|py|pl|txt|conf|ini|log|exe|bat|key|pem)\\b|\\d+(?:\\s*(?:[;|&\"'`)]|$)))";
