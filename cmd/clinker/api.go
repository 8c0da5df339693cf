package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"

	"clinker/api"
	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/openstack/identity"
	"clinker/internal/pki"
	"clinker/internal/trust"
	"clinker/policy"
	"clinker/volumed/rpc"
)

// apiCommand serves the REST API until it is told to end.
type apiCommand struct{}

// Run is kong's.
func (apiCommand) Run(ctx context.Context, c *commands) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	d, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	who, err := authenticator(cfg)
	if err != nil {
		return err
	}
	server, err := newAPI(ctx, cfg, d, who)
	if err != nil {
		return err
	}
	listener, err := listenAPI(ctx, cfg)
	if err != nil {
		return err
	}
	handler, err := withKeys(cfg, d, who, server)
	if err != nil {
		return err
	}
	go followCertificate(ctx, cfg, pki.API)
	slog.InfoContext(ctx, "serving the API", "address", listener.Addr().String())
	return serveHTTP(ctx, listener, handler)
}

// newAPI puts the API together from the configuration. Until ctx ends its policy
// follows the file.
func newAPI(ctx context.Context, cfg *conf.Config, d *db.DB, who identity.Authenticator) (*api.Server, error) {
	rules, err := newPolicy(ctx, cfg)
	if err != nil {
		return nil, err
	}
	go followPolicy(ctx, cfg, rules)
	nodes, err := nodeClients(cfg, pki.API)
	if err != nil {
		return nil, err
	}
	filters, err := api.LoadFilters(cfg.API.ResourceQueryFiltersFile)
	if err != nil {
		return nil, err
	}
	fulfils, err := serves(cfg.Scheduler.ServiceDownTime)
	if err != nil {
		return nil, err
	}
	projects, _ := who.(api.Projects) // nil with noauth, where every project is one
	found, err := newImages(cfg, cfg.Glance.NumRetries)
	if err != nil {
		return nil, err
	}
	var images api.Images
	if found != nil {
		images = found
	}
	store, err := newKeys(cfg, d)
	if err != nil {
		return nil, err
	}
	return api.New(api.Options{
		Images: images, VerifySignatures: verifySignatures(cfg), Keys: store,
		ForceUpload: cfg.API.EnableForceUpload, ReservedImageNamespaces: cfg.API.ReservedImageNamespaces,
		DB: d, Identity: who, Policy: rules, Nodes: nodes, Projects: projects,
		Host:              cfg.Host,
		AuthURI:           cfg.Keystone.WWWAuthenticateURI,
		PublicEndpoint:    cfg.API.PublicEndpoint,
		ProxyHeaders:      cfg.Middleware.EnableProxyHeadersParsing,
		MaxBody:           cfg.API.MaxRequestBodySize,
		MaxLimit:          cfg.API.MaxLimit,
		DefaultType:       cfg.API.DefaultVolumeType,
		DefaultGroupType:  cfg.API.DefaultGroupType,
		DefaultZone:       cfg.API.DefaultAvailabilityZone,
		ShownZone:         cfg.StorageAvailabilityZone,
		ZoneFallback:      cfg.API.AllowAvailabilityZoneFallback,
		Limits:            limits(cfg.Quota),
		NoSnapshotGBQuota: cfg.Quota.NoSnapshotGB,
		ServiceDownTime:   cfg.Scheduler.ServiceDownTime,
		ProtectServers:    cfg.API.AuthStrategy == "keystone",
		SwapsVolumes:      newCompute(cfg) != nil,
		Filters:           filters,
		Serves:            fulfils,
	})
}

// newPolicy reads the rules and logs what looks like a mistake in them.
func newPolicy(ctx context.Context, cfg *conf.Config) (*policy.Enforcer, error) {
	rules, warnings, err := policy.New(policy.Options{File: cfg.Policy.File, EnforceNewDefaults: cfg.Policy.EnforceNewDefaults})
	warnPolicy(ctx, cfg, warnings)
	return rules, err
}

// nodeClients are this process's connections to storage nodes.
func nodeClients(cfg *conf.Config, role pki.Role) (*rpc.Clients, error) {
	config, err := clientTLS(cfg, role, pki.Volumed)
	if err != nil {
		return nil, err
	}
	return rpc.NewPool(config), nil
}

// limits are the quotas that hold where nothing else is set.
func limits(q conf.Quota) db.Limits {
	return db.Limits{
		db.QuotaVolumes: q.Volumes, db.QuotaGigabytes: q.GigabytesGiB, db.QuotaSnapshots: q.Snapshots,
		db.QuotaBackups: q.Backups, db.QuotaBackupGigabytes: q.BackupGigabytesGiB, db.QuotaGroups: q.Groups,
		db.QuotaPerVolumeGigabytes: q.PerVolumeSizeGiB,
	}
}

// listenAPI opens the API's port, with TLS where [DEFAULT] asks for it.
func listenAPI(ctx context.Context, cfg *conf.Config) (net.Listener, error) {
	var secure *tls.Config
	if cfg.API.UseSSL {
		var err error
		if secure, err = sslConfig(cfg.SSL); err != nil {
			return nil, err
		}
	}
	listener, err := listenTCP(ctx, net.JoinHostPort(cfg.API.Listen, strconv.Itoa(cfg.API.ListenPort)), "[DEFAULT] osapi_volume_listen, osapi_volume_listen_port")
	if err != nil || secure == nil {
		return listener, err
	}
	return tls.NewListener(listener, secure), nil
}

// sslConfig is [ssl]: our certificate and, where ca_file is given, who may call at all.
func sslConfig(o conf.SSL) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "[ssl] cert_file = %s, key_file = %s: no certificate with its key can be read there", o.CertFile, o.KeyFile)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if o.CAFile == "" {
		return config, nil
	}
	callers, err := trust.Authorities(o.CAFile, "[ssl] ca_file = "+o.CAFile)
	if err != nil {
		return nil, err
	}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, callers
	return config, nil
}
