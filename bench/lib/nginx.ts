/** The configuration of an nginx that keeps all that it writes in one folder, has one worker and logs no access. */
export interface NginxSetup {
  /** Where its pid, its log and its temporary files go. */
  readonly dir: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** A dynamic module's file. */
  readonly module?: string;
  /** Directives of the http block, of the block `upstream app`, and for all that is asked. */
  readonly http?: readonly string[];
  readonly upstream?: readonly string[];
  readonly location: readonly string[];
}

/** Of Debian's libnginx-mod-http-modsecurity. */
export const modSecurityModule = "/usr/share/nginx/modules/ngx_http_modsecurity_module.so";

export function nginxConf({ dir, port, module, http = [], upstream = [], location }: NginxSetup): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) => `${one}_temp_path ${dir}/${one}`);
  const lines = [
    ...(module === undefined ? [] : [`load_module ${module};`]),
    ...(process.getuid?.() === 0 ? ["user root;"] : []),
    "worker_processes 1;",
    `pid ${dir}/nginx.pid;`,
    `error_log ${dir}/error.log;`,
    "daemon off;",
    "events { worker_connections 4096; }",
    "http {",
    ...["access_log off", ...temporary, ...http].map((one) => `  ${one};`),
    ...(upstream.length === 0 ? [] : [`  upstream app { ${upstream.map((one) => `${one};`).join(" ")} }`]),
    "  server {",
    `    listen 127.0.0.1:${port};`,
    "    location / {",
    ...location.map((one) => `      ${one};`),
    "    }",
    "  }",
    "}",
  ];
  return `${lines.join("\n")}\n`;
}
