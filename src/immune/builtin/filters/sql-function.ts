import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE, INPUT } from "../places.ts";

/** No other language has functions of these names. */
const unmistakable = oneOf(`pg_sleep load_file extractvalue updatexml xmltype randomblob zeroblob
  load_extension lo_import lo_export lo_get lo_put pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file
  current_setting set_config query_to_xml database_to_xml table_to_xml xmlforest group_concat concat_ws string_agg
  array_to_string unhex from_base64 to_base64 aes_decrypt des_encrypt make_set name_const gtid_subset gtid_subtract
  json_search json_arrayagg json_keys json_depth json_objectagg json_extract geometrycollection multipoint multipolygon
  multilinestring linestring st_latfromgeohash row_count found_rows last_insert_id connection_id is_free_lock get_lock
  release_lock is_used_lock session_user system_user current_user suser_name suser_sname is_srvrolemember user_name
  db_name schema_name object_name object_id col_length col_name host_name server_name serverproperty fn_virtualfilestats
  sqlite_version sqlite_source_id dbms_pipe\\.receive_message dbms_lock\\.sleep dbms_ldap\\.init dbms_xmlgen\\.getxml
  dbms_utility\\.sqlid_to_sqlhash utl_http\\.request utl_inaddr\\.get_host_address utl_inaddr\\.get_host_name
  ctxsys\\.drithsx\\.sn httpuritype xp_cmdshell xp_dirtree xp_regread xp_fileexist sp_executesql sp_password
  sp_makewebtask sp_oacreate sp_start_job sp_send_dbmail openrowset opendatasource openquery dblink dblink_exec
  dblink_connect inet_aton inet_ntoa inet6_aton sys_eval sys_exec sysdate current_database current_schema
  hextoraw rawtohex to_timestamp_tz regexp_substr regexp_instr regexp_like soundex sec_to_time
  weight_string crc32 uuid_short export_set pg_backend_pid pg_client_encoding
  inet_server_addr has_table_privilege txid_current quote_literal quote_ident generate_series`);

/** Words of other languages too: what follows, or stands before, must be a database's. */
const before = "(?:^|[='\"(,;|&+*/!~-]|\\b(?:select|and|or|xor|union|if|when|then|else|having|where|by|not)\\b)\\s*";

export const sqlFunction: Filter = {
  id: 100_203,
  name: "sql-function",
  message: "A value calls a function of a database",
  attackClass: "sql-injection",
  score: 5,
  catches:
    "Calls of functions with which attackers wait, read files, read the catalogue or put strings together: sleep, benchmark, extractvalue, group_concat, xp_cmdshell, chains of char() and the like; variables of the server; operators on JSON; casts behind a value.",
  letsPass: "The same within sentences or code of several lines, and methods of these names: time.sleep(5).",
  example: "1-sleep(5)",
  places: EVERYWHERE,
  checks: [
    pattern("sql", `\\b${unmistakable}\\s*\\(`),
    pattern(
      "sql",
      `${before}(?:sleep|benchmark)\\s*\\(\\s*(?:\\(|[\\d'"\\s.+*^/%-]+(?:[),'"@]|$|div\\b|mod\\b|[^\\x00-\\x7f])|select\\b|\\w+\\s*\\(|@)`,
    ),
    pattern(
      "sql",
      `${before}(?:database|schema|version|user|current_date|now|pi|rand|uuid|sysdatetime|getdate|newid)\\s*\\(\\s*\\)\\s*(?:[=<>!,)|;'"-]|and\\b|or\\b|like\\b|regexp\\b|from\\b)`,
    ),
    pattern(
      "sql",
      `\\b(?:char|chr|nchar|ascii|ord|hex|unhex|bin|oct|conv)\\s*\\(\\s*(?:0x[\\da-f]+|\\d{1,3})\\s*(?:,\\s*\\d|\\)\\s*(?:\\+|\\|\\||,|=|<|>|;|--))`,
    ),
    pattern(
      "sql",
      `\\b(?:ascii|ord|hex|length|len|char_length|bit_length|lower|upper|concat|count)\\s*\\(\\s*(?:substr|substring|mid|left|right|select|\\(\\s*select|user|database|version|@@|cast|ifnull|isnull|coalesce)\\b`,
    ),
    pattern(
      "sql",
      `\\b(?:substr|substring|mid|left|right|concat|ifnull|isnull|nullif|coalesce|nvl|elt|if|iif|cast|convert|floor|exp|pow|polygon|reverse|replace)\\s*\\(\\s*(?:\\(?\\s*select\\b|user\\s*\\(|database\\s*\\(|version\\s*\\(|@@|now\\s*\\(|0x[\\da-f]{4}|current_user|password\\s*,|sleep\\s*\\(|true\\b|\\d+\\s*=\\s*\\d|rand\\s*\\()`,
    ),
    pattern(
      "sql",
      `\\b(?:substr|substring|mid|left|right|lpad|rpad)\\s*\\([^,()]+,\\s*\\d+(?:\\s*,\\s*\\d+)?\\s*\\)\\s*(?:=|<|>|!=|like\\b|in\\b|regexp\\b)`,
    ),
    pattern(
      "sql",
      `\\bcast\\s*\\([^()]*(?:\\([^()]*\\))?[^()]*\\bas\\s+(?:n?var)?(?:char|text|int|integer|signed|unsigned|numeric|decimal|date|json|binary|bigint)\\b|\\bconvert\\s*\\(\\s*(?:int|n?varchar|[^,()]+\\busing\\b)`,
    ),
    pattern("sql", `[\\w)'"\\]]::(?:int|integer|text|varchar|bigint|numeric|regclass|json|bytea|name|bool)\\b`, {
      places: [...INPUT, "header", "user-agent", "referer"],
    }),
    pattern(
      "sql",
      `@@(?:version|hostname|datadir|basedir|tmpdir|global|session|servername|language|spid|identity|rowcount|secure_file_priv|version_compile_os|max_allowed_packet|ft_boolean_syntax|innodb|log_error|plugin_dir)\\b`,
    ),
    pattern(
      "sql",
      `'\\s*(?:->>?|#>>?|@>|<@|\\?\\||\\?&)\\s*'|\\bjson_(?:extract|value|query|contains|array|object)\\s*\\(|[\\w'"}\\]]\\s*(?:@>|<@)\\s*['"{\\[]`,
    ),
    pattern(
      "sql",
      `\\boverlay\\s*\\([^)]*\\bplacing\\b|\\bencode\\s*\\(\\s*\\w+\\s*\\(|\\bdecode\\s*\\(\\s*\\w+\\s*\\([^)]*\\)\\s*,|\\barray\\s*\\[[^\\]]*\\]\\s*(?:is\\b|=|\\))|~\\s*(?:all|any)\\s*\\(`,
    ),
    pattern(
      "sql",
      `(?:[=(,+|]|\\bselect|\\bunion|\\blike)\\s*0x[\\da-f]{8,}\\s*(?:[,)|;+]|$|--|\\band\\b|\\bor\\b|\\bfrom\\b|\\binto\\b)`,
      { places: INPUT },
    ),
    // Left open at the end: the statement that it is put into closes it.
    pattern(
      "sql",
      `^\\s*(?:select\\s+)?(?:abs|ascii|avg|bin|cast|ceil|char|chr|coalesce|concat|conv|convert|count|cur(?:date|time)|database|date_\\w+|day\\w*|db_name|default|elt|exp|floor|format|from_\\w+|hex|if|ifnull|insert|instr|isnull|lcase|left|len|length|ln|locate|log|lower|lpad|ltrim|max|md5|mid|min|minute|mod|month|now|nullif|oct|ord|password|pi|position|pow|power|quarter|rand|replace|reverse|right|round|rpad|rtrim|schema|second|sha1?|sign|sleep|soundex|space|sqrt|substr|substring|sum|sysdate|time|to_char|trim|truncate|ucase|unhex|upper|user|uuid|values|version|week|year)\\(\\s*$`,
      { places: INPUT },
    ),
    pattern(
      "sql",
      `\\bdiv\\s*\\(\\s*[\\d.]+\\s*,|[\\w)]::double\\s+precision|\\b(?:procedure|function)\\s*\\(\\w+\\)::`,
    ),
  ],
};
