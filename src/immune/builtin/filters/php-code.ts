import { pattern, type Filter } from "../filter.ts";
import { EVERYWHERE, INPUT, INPUT_AND_HEADERS } from "../places.ts";

export const phpCode: Filter = {
  id: 100_601,
  name: "php-code",
  message: "A value holds code or settings of PHP",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Opening tags of PHP, its variables with what a request brings ($_GET), settings that make it run what it fetches, and objects in PHP's own notation.",
  letsPass: "XML declarations; code of PHP within sentences or several lines.",
  example: "<?php system($_GET['c']);",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern(
      "plain",
      `<\\?(?:php\\b|=|\\s*(?:echo|system|eval|print|exec|include|require|passthru|phpinfo|\\$)|\\s+[^x])|<%\\s*(?:eval|execute)\\b|<script\\s+language\\s*=\\s*["']?php|\\[/?php\\]|\\{/?php\\}|^\\s*\\?>`,
    ),
    pattern(
      "script",
      `\\$\\s*\\{?\\s*(?:globals|_(?:cookie|env|files|get|post|request|server|session|s\\s*erver)|http_(?:cookie_vars|env_vars|get_vars|post_files|post_vars|raw_post_data|request_vars|server_vars|session_vars|response_header)|php_errormsg|argv|argc)(?:$|[^\\w])`,
    ),
    pattern(
      "plain",
      `\\b(?:allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_(?:functions|classes)|open_basedir|safe_mode(?:_\\w+)?|suhosin\\.\\w+|extension_dir|default_socket_timeout|user_ini\\.filename|zend_extension|session\\.(?:save_path|upload_progress\\.\\w+|auto_start|use_\\w+)|assert\\.\\w+|display_errors|error_log|include_path|register_globals|magic_quotes_\\w+|mail\\.\\w+|sendmail_path|short_open_tag|unserialize_callback_func|cgi\\.\\w+|browscap|doc_root|enable_dl|engine|expose_php|file_uploads|highlight\\.\\w+|html_errors|log_errors|max_execution_time|max_input_\\w+|memory_limit|opcache\\.\\w+|output_\\w+|post_max_size|sql\\.safe_mode|sys_temp_dir|track_errors|upload_\\w+|url_rewriter\\.tags|variables_order|xmlrpc_\\w+|arg_separator\\.\\w+|asp_tags|precision|ignore_user_abort)\\s*=\\s*(?:[\\w"'/.:%-])`,
      { places: [...INPUT] },
    ),
    pattern("raw", `(?:^|[;:{}"'|=&\\s])[oc]:\\+?\\d+:(?:"|%22)[\\w\\\\]+(?:"|%22):\\+?\\d+:\\{`),
    pattern("plain", `(?:^|[;:{}"'|=&\\s])[oc]:\\+?\\d+:"[\\w\\\\]+":\\+?\\d+:(?:\\{|[as]:)`),
    pattern("plain", `(?:^|[/\\\\:])sess_[\\w,-]{8,}$`, { places: ["file-name"] }),
    pattern(
      "plain",
      `\\b(?:PHPSESSID|php_session_upload_progress)\\s*(?:=|\\])\\s*[<|]|^php_session_upload_progress$|\\\\think\\\\|thinkphp|\\b(?:vendor/)?phpunit/[\\w/-]*eval-stdin|\\bs=/?index/\\\\?\\\\?think`,
      { places: EVERYWHERE },
    ),
  ],
};
