import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE, INPUT } from "../places.ts";

/** Names that no other language has. */
const names =
  oneOf(`array_(?:diff_u?\\w+|filter|intersect_\\w+|key_exists|map|push|reduce|shift|udiff\\w*|uintersect\\w*|values|walk\\w*|pop|merge\\w*|keys|flip|fill|chunk|combine|column|search|slice|splice|sum|unique|unshift|reverse|rand|pad|multisort|product|replace\\w*)
  base64_(?:de|en)code bson_(?:de|en)code bz(?:compress|decompress|open|read|write) call_user_(?:func|method)(?:_array)? class_(?:exists|implements|parents|alias) convert_uu(?:en|de)code
  create_function curl_(?:exec|init|setopt\\w*|file_create|multi_\\w+|getinfo|close|version|escape|unescape) debug_(?:backtrace|print_backtrace|zval_refcount) dbx?_\\w+ error_(?:reporting|log) escapeshell(?:arg|cmd)
  exif_\\w+ extension_loaded fastcgi_finish_request fclose feof fgetcsv fgetc fgets fgetss fileatime filectime filegroup fileinode filemtime fileowner fileperms filesize filetype
  file_(?:exists|get_contents|put_contents) finfo_\\w+ fopen forward_static_call\\w* fpassthru fputs fputcsv fread fscanf fsockopen fstat ftp_\\w+ ftruncate func_get_args?
  function_exists fwrite get_(?:cfg_var|class\\w*|current_user|declared_\\w+|defined_\\w+|extension_funcs|headers|html_translation_table|include_path|included_files|loaded_extensions|magic_quotes_\\w+|meta_tags|object_vars|parent_class|required_files|resource_type|browser)
  getallheaders getcwd getenv getfilename gethostbyaddr gethostbynamel? gethostname getimagesize getlastmod getmxrr getmygid getmyinode getmypid getmyuid getopt getrusage getservbyname gz(?:compress|decode|deflate|encode|file|getc|gets|inflate|open|passthru|puts|read|uncompress|write)
  hash_(?:algos|file|hmac|hmac_file|update_file|update_stream|init|final|pbkdf2) header_(?:register_callback|remove) headers_sent hebrev hex2bin highlight_(?:file|string) html_?entit(?:y_decode|ities) htmlspecialchars\\w* http_build_query
  iconv_\\w+ ignore_user_abort image(?:2wbmp|create\\w*|gd2?|jpeg|png|gif|wbmp|xbm|copy\\w*|filled\\w+|ttftext|loadfont) import_request_variables inet_(?:ntop|pton) ini_(?:get|get_all|set|restore|alter) iptcembed iptcparse is_(?:a|array|bool|callable|dir|double|executable|file|float|int|iterable|link|long|null|numeric|object|readable|real|resource|scalar|string|subclass_of|uploaded_file|writable|writeable)
  iterator_\\w+ json_(?:decode|encode|last_error\\w*) ldap_\\w+ libxml_\\w+ localeconv mb_\\w+ mcrypt_\\w+ md5_file method_exists mhash move_uploaded_file msg_\\w+ mysqli?_\\w+ mssql_\\w+ newt_\\w+ number_format
  ob_\\w+ oci_\\w+ odbc_\\w+ opcache_\\w+ opendir openlog openssl_\\w+ override_function parse_ini_(?:file|string) parse_str parse_url passthru pclose pcntl_\\w+ pfsockopen pg_\\w+ php_(?:ini_loaded_file|ini_scanned_files|sapi_name|strip_whitespace|uname) phpcredits phpinfo phpversion popen posix_\\w+ preg_\\w+
  print_r proc_(?:close|get_status|nice|open|terminate) property_exists putenv quotemeta rawurl(?:de|en)code read(?:_exif_data|dir|file|gzfile|line_\\w+|link) realpath_cache_\\w+ register_(?:shutdown|tick)_function rename_function restore_\\w+ rewinddir runkit7?_\\w+ scandir session_\\w+ set_(?:error_handler|exception_handler|file_buffer|include_path|magic_quotes_runtime|socket_blocking|time_limit) setcookie setdefaultstub setrawcookie settype sha1_file shell_exec shm_\\w+ shmop_\\w+ show_source similar_text simplexml_\\w+ snmp\\w*_?\\w+ socket_\\w+ spl_\\w+ sqlite_\\w+ sqlsrv_\\w+ ssh2_\\w+ str_(?:contains|getcsv|ireplace|pad|repeat|replace|rot13|shuffle|split|word_count|starts_with|ends_with) strcasecmp stream_\\w+ strip_tags stripc?slashes stristr strncasecmp strrev strpbrk strlen strpos stripos strrpos strtolower strtotime strtoupper substr unpack intval floatval boolval strval assert_options ucwords lcfirst nl2br money_format vsprintf php_check_syntax substr_(?:compare|count|replace) sys_(?:get_temp_dir|getloadavg) syslog tempnam tmpfile token_(?:get_all|name) trigger_error uasort ucfirst ucwords uksort uniqid unregister_tick_function unserialize url(?:de|en)code use_soap_error_handler user_error usort utf8_(?:de|en)code var_(?:dump|export) variant_\\w+ version_compare vfprintf vprintf vsprintf wddx_\\w+ win32_\\w+ xdiff_\\w+ xml_parser_\\w+ xmlrpc_\\w+ xslt_\\w+ yaml_(?:parse\\w*|emit\\w*) zend_version zip_(?:open|read|entry_\\w+) zlib_\\w+
  gnupg_\\w+ imap_\\w+ ibase_\\w+ inclued_get_data intl_\\w+ kadm5_\\w+ lchown link linkinfo maxdb_\\w+ memcache_\\w+ msql_\\w+ ncurses_\\w+ pdf_\\w+ ps_\\w+ pspell_\\w+ px_\\w+ radius_\\w+ rrd_\\w+ sem_\\w+ stomp_\\w+ svn_\\w+ sybase_\\w+ tidy_\\w+ udm_\\w+ wincache_\\w+ apc_\\w+ apcu_\\w+ apache_\\w+ bcompiler_\\w+ cubrid_\\w+ eio_\\w+ enchant_\\w+ event_\\w+ expect_\\w+ fbsql_\\w+ fdf_\\w+ geoip_\\w+ gmp_\\w+ hw_\\w+ id3_\\w+ ifx_\\w+ ingres_\\w+`);
const general = oneOf(
  "system exec eval assert include include_once require require_once chr ord pack implode explode extract compact copy unlink rename rmdir mkdir chmod chown chgrp touch symlink link glob mail header define constant dl date join rand sort define file fputs dir key end current each prev next reset range",
);

export const phpFunction: Filter = {
  id: 100_602,
  name: "php-function",
  message: "A value calls a function of PHP",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Calls of functions by which code of PHP runs programs, reads files or decodes itself; functions called through strings and variables: 'sys'.'tem'('id').",
  letsPass:
    "The same within sentences or several lines; methods and functions of other languages that have other names.",
  example: "base64_decode('cGhwaW5mbygp')",
  places: EVERYWHERE,
  checks: [
    pattern("script", `(?:^|[^.>\\w]|foo)${names}\\s*=?\\(`),
    pattern(
      "script",
      `(?:^|[^\\w.$>-])${general}\\s*\\(?\\s*(?:\\$[_a-z{]|["'\`][^"'\`]*["'\`]\\s*(?:\\)|\\.)\\s*[;.)?]|(?:base64_decode|chr|gz\\w+|str_rot13|\\$|getallheaders|current|pos|end|next|scandir|implode|localeconv)\\s*\\()`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `(?:^|[^\\w.$>-])(?:system|exec|passthru|shell_exec|popen|eval|assert)\\(\\s*(?:["'\`$]|\\w{2})[^)]*\\)`,
      {
        places: INPUT,
      },
    ),
    pattern(
      "script",
      `(?:^|[^\\w.$>-])(?:system|exec|eval|assert|include|require|chr|phpinfo|readfile|mail|glob|dl|opendir|unlink|define|ini_set|putenv|virtual)\\s*\\((?:\\s*["'$\\d][^)]*)?\\)\\s*(?:;|\\?>|$)`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `\\(\\s*["'][\\w.\\\\]+["']\\s*(?:\\.\\s*["'][\\w\\\\]*["']\\s*)*\\)\\s*\\(|["']\\s*\\.\\s*["'][^"']*["']\\s*\\)?\\s*\\(|(?:^|[;{}\\s(=])\\$\\{?["'\\w\\[\\]]+\\}?\\s*(?:\\[[^\\]]*\\]|\\{[^}]*\\})*\\s*\\(|\\(\\s*[a-z_]\\w*\\s*\\)\\s*\\(\\s*["'\`$\\d)]|["'](?:system|exec|passthru|phpinfo|shell_exec|assert|eval|popen|proc_open|file_get_contents|printf|print_r)["']\\s*\\(|\\[\\s*["']\\w+["']\\s*\\]\\s*\\[?\\d*\\]?\\s*\\(\\s*["']`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `\\$\\w+\\s*=\\s*[^;=]{1,200};\\s*(?:echo|print|die|exit|return|include|require|\\$\\w+\\s*[=(.\\[])|\\$\\{\\s*\\w*\\s*\\(|\\{\\s*\\$\\{\\s*\\w+|\\becho\\s+["'\`$(]\\S*\\s*;|\\bglobal\\s+\\$\\w+\\s*;|\\bnew\\s+(?:splfileobject|splfileinfo|globiterator|directoryiterator|filesystemiterator|simplexmlelement|reflectionfunction|reflectionmethod|reflectionclass|soapclient|ziparchive|pdo|mysqli)\\b`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `\\(\\s*(?:/\\*[^*]*\\*/\\s*)?(?:system|exec|passthru|shell_exec|popen|phpinfo|assert|eval|call_user_func|file_get_contents)\\s*\\)\\s*\\(|\\[\\s*["']?\\w+["']?\\s*\\]\\s*\\)?\\s*[\\[{]\\s*0\\s*[\\]}]\\s*[({]|\\(\\s*\\w+\\.\\s*\\(?\\w+\\)?\\.?\\w*\\s*\\)\\s*\\(\\s*["']|\\(\\s*\\$\\w+\\s*\\)\\s*\\(|\\(\\s*string\\s*\\)\\s*[({["']`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `\\b(?:system|exec|passthru|shell_exec|popen|eval|assert|file|include|require|chr|mail|printf|sprintf|intval|substr)\\s*(?:#|//)[^\\n]*\\n?\\s*\\(|\\b(?:system|exec|passthru|eval|assert)\\s{2,}\\(|\\b(?:system|exec|passthru|eval|assert)\\t+\\(`,
      { places: INPUT },
    ),
  ],
};
