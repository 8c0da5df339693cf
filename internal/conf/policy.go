package conf

// Policy is [oslo_policy]: the file that overrides policy defaults.
type Policy struct {
	File               string `ini:"policy_file" default:"policy.yaml" help:"Rules that differ from the defaults, YAML or JSON. A relative path is looked up beside the configuration file. It may be missing."`
	EnforceNewDefaults bool   `ini:"enforce_new_defaults" default:"true" help:"Use the defaults with the reader and member roles only, without falling back on their older wording."`
}

// Middleware is [oslo_middleware].
type Middleware struct {
	EnableProxyHeadersParsing bool `ini:"enable_proxy_headers_parsing" default:"false" help:"Believe X-Forwarded-Proto and -Prefix when writing links, as X-Forwarded-Host always is. Only behind a proxy that sets them."`
}

// SSL is [ssl]: the certificate of the REST listener, when osapi_volume_use_ssl.
type SSL struct {
	CertFile string `ini:"cert_file" default:"" help:"The certificate, PEM, with its chain."`
	KeyFile  string `ini:"key_file" default:"" help:"Its private key, PEM."`
	CAFile   string `ini:"ca_file" default:"" help:"CA certificates; when given, callers must show a certificate signed by one of them."`
}
