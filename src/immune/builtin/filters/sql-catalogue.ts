import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE } from "../places.ts";

const tables = oneOf(`information_schema performance_schema pg_catalog pg_shadow pg_authid pg_stat_activity pg_database
  pg_tables pg_attribute pg_namespace pg_largeobject sysobjects syscolumns sysusers sysdatabases sysprocesses syslogins
  sysxlogins sqlite_master sqlite_schema sqlite_temp_master sqlite_sequence msysaccessobjects msysaccessstorage
  msysaccessxml msysobjects msysqueries msysrelationships msysaces all_tab_columns user_tab_columns all_tables
  user_tables all_users dba_users dba_tables all_objects user_objects user_constraints user_password
  innodb_table_stats innodb_index_stats mysql\\.(?:user|db|host|proc|func|innodb_\\w+|tables_priv|columns_priv)
  sys\\.(?:tables|columns|objects|databases|schemas|all_columns|sysobjects|sql_logins|schema_\\w+|x\\$\\w+|user\\$|obj\\$)
  v\\$(?:version|session|instance|database|parameter) (?:master|tempdb|msdb|model)\\.(?:\\.|dbo\\.)
  xp_cmdshell xp_dirtree xp_regread xp_reg\\w+ xp_availablemedia xp_enumdsn xp_filelist xp_makecab
  xp_ntsec\\w* xp_terminate_process xp_servicecontrol xp_loginconfig xp_execresultset sp_executesql sp_oacreate
  sp_password sp_makewebtask sp_replwritetovarbin sp_addextendedproc sp_configure sp_prepare sp_sqlexec utl_http
  utl_file utl_inaddr utl_smtp utl_tcp dbms_java dbms_pipe dbms_scheduler openrowset opendatasource dbo\\.sys\\w+
  autonomous_transaction dbms_output ctxsys\\.\\w+ sqloledb msdasql nvarchar varchar2 schema_name db_name`);

export const sqlCatalogue: Filter = {
  id: 100_204,
  name: "sql-catalogue",
  message: "A value names the inside of a database",
  attackClass: "sql-injection",
  score: 5,
  catches:
    "Names of system tables and procedures that no user of an application types: information_schema, pg_shadow, sqlite_master, sysobjects, xp_cmdshell, and the like.",
  letsPass: "The same within sentences or code of several lines.",
  example: "information_schema.tables",
  places: EVERYWHERE,
  checks: [pattern("sql", `(?:^|[^\\w$-])${tables}(?:$|[^\\w-])`)],
};
