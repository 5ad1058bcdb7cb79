import { oneOf, pattern, type Filter } from "../filter.ts";

const hidden =
  oneOf(`git svn hg bzr cvs env ssh aws azure kube docker gnupg htaccess htpasswd htdigest bash_history bash_profile bashrc
  bash_logout zsh_history zshrc sh_history mysql_history psql_history pgpass netrc npmrc yarnrc pypirc s3cfg boto
  gitignore gitconfig gitmodules gitattributes git-credentials dockerignore dockerenv ds_store idea vscode settings
  project classpath subversion password-store my\\.cnf viminfo vimrc vim cache config local java pki cargo rustup
  terraform vagrant npm nvm gem travis\\.yml circleci jenkins ftpconfig remote-sync\\.json rhosts profile history lesshst
  node_repl_history python_history rediscli_history sqlite_history claude cursor codex gemini aider continue windsurf
  roo cline zed kiro junie opencode openclaw github gitlab-ci\\.yml anydesk thunderbird google_authenticator
  ipynb_checkpoints pytest_cache coverage tox wget-hsts xauthority selected_editor snap vmware tor crush
  secrets credentials deployment-secrets\\.txt plandex fabric n8n warp qwen_code rovodev a0proj trustclaw clawdbot zeroclaw`);

export const restrictedPath: Filter = {
  id: 100_403,
  name: "restricted-path",
  message: "The path is that of a file which is not for visitors",
  attackClass: "file-inclusion",
  score: 5,
  catches:
    "Requests for what lies beside an application by mistake: .git, .env, .htpasswd, keys and histories, configuration with passwords, backups and dumps of databases, files of editors.",
  letsPass: "/.well-known/, and files of an application's own such as /config.json and /settings.js.",
  example: "/.env",
  places: ["path"],
  checks: [
    pattern("plain", `[/\\\\]\\.${hidden}(?:[./\\\\_~-]|$)`, { inText: "counts" }),
    pattern(
      "plain",
      `/(?:wp-config|localsettings|configuration|config(?:[._-](?:inc|dev|prod|test|sample|local|default))*|settings|database|db|db_?connect|connect|parameters|phpinfo|info|php_?info|test|adminer|install|setup)(?:\\.inc|\\.local|\\.sample|\\.dist)*\\.(?:php\\d?|inc|asp|pl|py|rb)(?:[.~_]\\w*|~)$|/(?:wp-config|phpinfo|php_?info)\\.php`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `\\.(?:bak|backup|bkp|old|orig|original|save|sav|swp|swo|swn|tmp|temp|sql|sqlite3?|mdb|accdb|ldb|dbf|rdb|dump|kdbx|ppk|pem|pfx|p12|keystore|jks|inc|cfg|conf|ini|core|rdp|pgpass|asa|csproj|vbproj|licx|resx|printer|sys)$|\\.(?:sql|db|bak|dump|backup)\\.(?:gz|bz2?|zip|7z|rar|tar|tgz|xz|\\d{3})$|\\.\\w{2,5}~$`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `/(?:web\\.config|app\\.config|machine\\.config|boot\\.ini|win\\.ini|php\\.ini|my\\.cnf|debian\\.cnf|credentials\\.(?:json|ya?ml|xml)|secrets?\\.(?:json|ya?ml|toml)|id_(?:rsa|dsa|ecdsa|ed25519)|authorized_keys|known_hosts|composer\\.(?:lock|phar)|docker-compose\\.ya?ml|dockerfile|npm-debug\\.log|yarn-(?:debug|error)\\.log|pm2\\.log|debug\\.log|error_log|access_log|laravel\\.log|\\.coverage|coverage\\.xml|ftp-sync\\.json|sftp-config\\.json|aws(?:-key)?\\.ya?ml|database\\.ya?ml|parameters\\.ya?ml|web-inf(?:/|$)|meta-inf(?:/|$)|__pycache__(?:/|$)|server-status|server-info|elmah\\.axd|trace\\.axd|etc/(?:passwd|shadow))(?:$|[/?])`,
      { inText: "counts" },
    ),
  ],
};
