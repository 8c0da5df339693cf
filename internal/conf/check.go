package conf

import (
	"strings"

	"clinker/internal/fault"
)

// check looks at options together, once each is understood by itself.
func (c *Config) check() []error {
	var errs []error
	add := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if c.API.DefaultAvailabilityZone == "" {
		c.API.DefaultAvailabilityZone = c.StorageAvailabilityZone
	}
	add(c.Global.check())
	add(c.Keystone.check())
	add(c.Glance.checkGlance())
	c.Glance.complete(c.StatePath)
	add(c.Nova.checkNova())
	add(c.Backup.check())
	add(c.KeyManager.complete(c.StatePath))
	add(c.Database.normalize())
	add(c.API.checkAuth())
	add(checkURL("DEFAULT", "public_endpoint", c.API.PublicEndpoint))
	add(checkURL("barbican", "barbican_endpoint", c.Barbican.Endpoint))
	if c.Nova.AuthURL != c.Keystone.AuthURL { // else it was looked at there
		add(checkURL("nova", "auth_url", c.Nova.AuthURL))
	}
	add(c.Clinker.checkEndpoints())
	if c.Scheduler.ReportInterval >= c.Scheduler.ServiceDownTime {
		add(fault.New(fault.Invalid, "[DEFAULT] report_interval = %d: less than service_down_time (%d) is needed, or every service counts as down",
			int(c.Scheduler.ReportInterval.Seconds()), int(c.Scheduler.ServiceDownTime.Seconds())))
	}
	if c.API.UseSSL && (c.SSL.CertFile == "" || c.SSL.KeyFile == "") {
		add(fault.New(fault.Invalid, "[DEFAULT] osapi_volume_use_ssl = true needs cert_file and key_file in [ssl]"))
	}
	return append(errs, c.checkBackends()...)
}

// checkURL refuses what cannot be a service's URL. Empty is none.
func checkURL(section, key, url string) error {
	if url == "" || isHTTP(url) {
		return nil
	}
	return fault.New(fault.Invalid, "[%s] %s = %s: it must begin with http:// or https://", section, key, url)
}

// isHTTP tells whether an option begins as a service's URL does.
func isHTTP(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://")
}
