package conf

import "strings"

// reason says why options of Cinder change nothing in Clinker. A pattern is
// the name itself, or a beginning followed by *.
type reason struct {
	patterns string // separated by spaces
	why      string
}

// unusedSections are sections of cinder.conf for machinery Clinker does not have.
var unusedSections = []reason{
	{"oslo_messaging_*", "there is no message broker; jobs are kept in PostgreSQL and nodes are called over TLS"},
	{"oslo_concurrency", "there are no file locks; PostgreSQL decides"},
	{"coordination", "there is no coordination service; PostgreSQL decides"},
	{"privsep privsep_* cinder_sys_admin", "volumed runs with the rights it needs and starts no privileged helper"},
	{"profiler oslo_reports oslo_versionedobjects healthcheck os_brick", "it belongs to a Python library"},
	{"barbican_service_user", "requests to the key manager carry the caller's token alone"},
	{"service_user", "requests to other services carry the caller's token, or are made by Clinker's own user"},
	{"vault", "keys are kept in Barbican, or in the database"},
	{"cors", "pages of other sites are not answered; a proxy can add the headers"},
	{"backend", "backend_host stands in the section of each backend"},
	{"fc-zone-manager brcd_* cisco_*", "Fibre Channel is not served"},
	{"sample_remote_file_source sample_castellan_source", "the configuration is read from files only"},
}

// unusedKeys are options of sections Clinker does read.
var unusedKeys = map[string][]reason{
	"DEFAULT": {
		{"transport_url rpc_backend control_exchange rpc_* executor_thread_pool_size notification_* rabbit_* conn_pool_* zmq_*",
			"there is no message broker; jobs are kept in PostgreSQL and nodes are called over TLS"},
		{"rootwrap_config", "volumed runs with the rights it needs and starts no privileged helper"},
		{"osapi_volume_workers wsgi_* tcp_* backlog max_header_line client_socket_timeout run_external_periodic_tasks",
			"one process serves all requests at once"},
		{"api_paste_config osapi_volume_ext_list osapi_volume_extension enable_v*_api", "the API is built in"},
		{"scheduler_manager scheduler_driver scheduler_host_manager volume_manager backup_manager volume_api_class db_driver backup_api_class transfer_api_class group_api_class",
			"the parts of Clinker are built in"},
		{"volume_name_template snapshot_name_template backup_name_template", "names on the node are fixed: volume-<id>, _snapshot-<id>"},
		{"volumes_dir", "exports are kept in volumed's journal under state_path"},
		{"log_file log_dir log_config* log_date_format logging_* use_syslog use_journal use_stderr use_eventlog watch_log_file syslog_* default_log_levels publish_errors instance_* log_rotat* rate_limit_* max_logfile_* fatal_deprecations verbose",
			"the log goes to standard error; the service manager keeps it"},
		{"periodic_interval periodic_fuzzy_delay graceful_shutdown_timeout backdoor_* use_ssl", "it belongs to a Python library"},
		{"lock_path disable_process_locking", "there are no file locks; PostgreSQL decides"},
		{"cluster", "any number of schedulers and APIs run side by side without being named a cluster"},
		{"quota_driver reservation_* until_refresh max_age reservation_expire reservation_clean_interval",
			"quota is counted in the same transaction as what it counts; there are no reservations to expire"},
		{"use_default_quota_class", "the quota class named default always goes before these options"},
		{"quota_consistencygroups", "consistency groups count as groups; write quota_groups"},
		{"osapi_volume_base_URL osapi_volume_base_url", "write public_endpoint"},
		{"backup_file_size backup_sha_block_size_bytes backup_native_threads_pool_size backup_workers backup_s3_object_size backup_s3_block_size backup_s3_enable_progress_timer",
			"a backup is kept in chunks whose size follows from the volume's"},
		{"backup_enable_progress_timer backup_object_number_per_notification backup_timer_interval", "progress is shown by the job"},
		{"backup_s3_sse_* backup_s3_http_proxy backup_s3_proxy* backup_s3_timeout backup_s3_max_pool_connections backup_s3_retry_*", "the S3 client is built in"},
		{"monkey_patch* fake_* pybasedir bindir", "it belongs to Python"},
	},
	"database": {
		{"backend slave_connection mysql_* sqlite_* use_tpool use_db_reconnect db_* max_overflow max_retries retry_interval min_pool_size connection_recycle_time connection_debug connection_trace connection_parameters pool_timeout wsrep_sync_wait synchronous_reader idle_timeout",
			"the connection pool of PostgreSQL needs none of it"},
	},
	"keystone_authtoken": {
		{"memcached_servers memcache_* memcached_*", "validated tokens are kept in the process's own memory"},
		{"auth_type auth_plugin auth_section", "tokens are validated with username and password"},
		{"auth_version interface service_type delay_auth_decision include_service_catalog enforce_token_bind http_* certfile keyfile identity_uri signing_dir check_revocations_for_cached hash_algorithms auth_protocol auth_host auth_port cache revocation_cache_time admin_token",
			"it belongs to a Python library"},
	},
	"nova": {
		{"token_auth_url auth_type", "the compute service is called with username and password"},
		{"certfile keyfile collect_timing split_loggers default_domain_* domain_* system_scope trust_id tenant_* user_id project_id user_domain_id project_domain_id user_name", "it belongs to a Python library"},
	},
	"key_manager": {
		{"fixed_key", "one key for all volumes, written in every host's configuration, protects none of them; each volume has a key of its own"},
		{"auth_type username password project_* user_* trust_id domain_* reauthenticate token auth_url", "keys are asked for with the caller's token, and with the user of [keystone_authtoken]"},
	},
	"barbican": {
		{"auth_endpoint barbican_api_version retry_delay number_of_retries send_service_user_token cafile certfile keyfile insecure timeout collect_timing split_loggers",
			"keys are made in one request, over version 1 of the API"},
	},
	"oslo_policy": {
		{"enforce_scope", "none of Cinder's rules is bound to a scope; they ask for system_scope where it matters"},
		{"policy_dirs policy_default_rule remote_*", "rules come from policy_file alone, and a rule nobody has defined is refused"},
	},
	"oslo_middleware": {
		{"secure_proxy_ssl_header http_basic_auth_user_file", "it belongs to a Python library"},
	},
	"ssl": {
		{"version ciphers", "TLS 1.2 and 1.3 with Go's choice of ciphers"},
	},
	backendDefaults: {
		{"use_chap_auth", "CHAP is always on; every attachment has its own username and password"},
		{"chap_username chap_password chap_*", "every attachment has its own username and password"},
		{"volume_clear volume_clear_size", "a deleted thick volume is always zeroed, all of it, before its space is given back"},
		{"volume_clear_ionice volume_dd_blocksize volume_copy_blkio_cgroup_name", "copying is paced by volume_copy_bps_limit and zeroing by volume_clear_bytes_per_second, in the process itself"},
		{"iscsi_write_cache iscsi_iotype iscsi_target_flags initiator_* driver_client_cert* driver_ssl_cert* num_iser_* num_shell_tries num_volume_device_scan_tries",
			"targets have one setting that was tested"},
		{"lvm_conf_file lvm_mirrors lvm_suppress_fd_warnings lvm_share_target lvm_max_over_subscription_ratio", "LVM's own configuration decides"},
		{"volumes_dir", "exports are kept in volumed's journal under state_path"},
		{"use_multipath_for_image_xfer enforce_multipath_for_image_xfer backend_stats_polling_interval suppress_requests_ssl_warnings trace_flags driver_data_namespace",
			"volumed copies on the node itself and is asked for its figures"},
		{"replication_device report_discard_supported san_* nas_* nfs_*", "none of Clinker's backends has it"},
	},
}

// unusedSection gives the reason why a section has no effect, "" when there is none.
func unusedSection(name string) string { return match(unusedSections, name) }

// unusedKey gives the reason why a key has no effect, "" when there is none.
// Sections that are not listed are the operator's backends.
func unusedKey(section, key string) string {
	if reasons, ok := unusedKeys[section]; ok {
		return match(reasons, key)
	}
	if section == "clinker" {
		return ""
	}
	return match(unusedKeys[backendDefaults], key)
}

func match(reasons []reason, name string) string {
	for _, r := range reasons {
		for _, p := range strings.Fields(r.patterns) {
			start, open := strings.CutSuffix(p, "*")
			if name == p || open && strings.HasPrefix(name, start) {
				return r.why
			}
		}
	}
	return ""
}
