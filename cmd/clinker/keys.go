package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/keys"
	"clinker/internal/openstack/barbican"
	"clinker/internal/openstack/identity"
	"clinker/internal/openstack/keystone"
)

// keyfileCommand makes the key file of the local key store.
type keyfileCommand struct {
	Path string `arg:"" optional:"" help:"Where it goes. Default: local_key_file of the configuration."`
	Add  bool   `help:"Put a new key before those of a file that is there: it seals what comes."`
}

// Run is kong's.
func (k keyfileCommand) Run(ctx context.Context, c *commands) error {
	if k.Path == "" {
		cfg, err := c.load(ctx)
		if err != nil {
			return err
		}
		k.Path = cfg.KeyManager.KeyFile
	}
	if k.Add {
		if err := keys.AddKey(k.Path); err != nil {
			return err
		}
		fmt.Println(k.Path, "has a new key; restart every API and scheduler with a copy of it")
		return nil
	}
	made, err := keys.MakeFile(k.Path)
	if err != nil {
		return err
	}
	if made {
		fmt.Println(k.Path, "is made; keep a copy of it where no copy of the database is")
		return nil
	}
	if _, err := keys.ReadRing(k.Path); err != nil {
		return err
	}
	fmt.Println(k.Path, "is there already")
	return nil
}

// newKeys gives the key store; nil where there is none: Barbican needs a Keystone,
// and the local one its key file.
func newKeys(cfg *conf.Config, d *db.DB) (keys.Store, error) {
	if cfg.KeyManager.Backend == conf.KeysLocal {
		local, err := localKeys(cfg, d)
		if err != nil {
			return nil, err
		}
		return local, nil
	}
	if cfg.API.AuthStrategy != "keystone" || cfg.Keystone.AuthURL == "" {
		return nil, nil
	}
	b := cfg.Barbican
	client, err := barbican.New(barbican.Config{
		Endpoint: b.Endpoint, EndpointType: b.EndpointType, Region: b.RegionName, CAFile: b.CAFile, Insecure: !b.VerifySSL,
		Login: keystone.NewLogin(keystoneConfig(cfg)),
	})
	if err != nil {
		return nil, err
	}
	return client, nil
}

func localKeys(cfg *conf.Config, d *db.DB) (*keys.Local, error) {
	ring, err := keys.ReadRing(cfg.KeyManager.KeyFile)
	if err != nil {
		return nil, err
	}
	return keys.NewLocal(d, ring), nil
}

// keysURL is where the local key store's keys are read, beside the volume API; ""
// where there is none.
func keysURL(cfg *conf.Config, volumeURL string) string {
	root, under := strings.CutSuffix(strings.TrimRight(volumeURL, "/"), "/v3")
	if cfg.KeyManager.Backend != conf.KeysLocal || !under {
		return ""
	}
	return root + keys.ServedAt
}

// withKeys serves the local key store's keys beside the volume API, where there is
// one.
func withKeys(cfg *conf.Config, d *db.DB, who identity.Authenticator, volumes http.Handler) (http.Handler, error) {
	if cfg.KeyManager.Backend != conf.KeysLocal {
		return volumes, nil
	}
	local, err := localKeys(cfg, d)
	if err != nil {
		return nil, err
	}
	face := keys.Handler(local, who)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == keys.ServedAt || strings.HasPrefix(r.URL.Path, keys.ServedAt+"/") {
			face.ServeHTTP(w, r)
			return
		}
		volumes.ServeHTTP(w, r)
	}), nil
}
