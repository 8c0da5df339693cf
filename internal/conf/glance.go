package conf

import (
	"path/filepath"
	"strings"
	"time"

	"clinker/internal/fault"
)

// Glance is the part of [DEFAULT] about images: where they are, and how a storage
// node converts them.
type Glance struct {
	APIServers         []string      `ini:"glance_api_servers" default:"" help:"URLs of the image service, tried one after the other. Empty: the one in Keystone's catalog."`
	CatalogInfo        string        `ini:"glance_catalog_info" default:"image:glance:publicURL" help:"What to look for in the catalog: service type, service name, endpoint type."`
	NumRetries         int           `ini:"glance_num_retries" default:"3" min:"0" help:"How often a request or a copy is tried again when the image service does not answer."`
	Insecure           bool          `ini:"glance_api_insecure" default:"false" help:"Do not verify the image service's certificate."`
	CACertificatesFile string        `ini:"glance_ca_certificates_file" default:"" help:"The CA certificates that vouch for the image service. Empty: the system's."`
	RequestTimeout     time.Duration `ini:"glance_request_timeout" default:"10" min:"1" help:"How long the image service may take to answer a question, in seconds."`
	VerifySignatures   string        `ini:"verify_glance_signatures" default:"enabled" choices:"enabled,disabled" help:"enabled: refuse signed images, for signatures cannot be verified here. disabled: take them as unsigned; their hashes are verified all the same."`

	InternalProject string `ini:"cinder_internal_tenant_project_id" default:"" help:"The project of the hidden volumes that keep images (image_volume_cache_enabled). Empty: one that is called cinder-internal."`
	InternalUser    string `ini:"cinder_internal_tenant_user_id" default:"" help:"The user of those volumes. Empty: one that is called cinder-internal."`

	ConversionDir               string        `ini:"image_conversion_dir" default:"" sample:"$state_path/conversion" help:"The folder in which a storage node keeps images while it converts them."`
	ConversionCPULimit          time.Duration `ini:"image_conversion_cpu_limit" default:"60" min:"1" help:"How much processor time qemu-img may take for each GiB of an image that was begun, in seconds."`
	CompressOnUpload            bool          `ini:"image_compress_on_upload" default:"true" help:"Compress the qcow2 images that are made of volumes."`
	ConversionAddressSpaceLimit int64         `ini:"image_conversion_address_space_limit" default:"1" min:"1" help:"How much memory qemu-img may map, in GiB."`
}

// complete fills what follows from other options.
func (g *Glance) complete(statePath string) {
	if g.ConversionDir == "" {
		g.ConversionDir = filepath.Join(statePath, "conversion")
	}
}

// checkGlance refuses what cannot be a URL, and a folder that would be another one
// where the process is started from elsewhere. Of the one that state_path gives,
// state_path is told.
func (g *Glance) checkGlance() error {
	if g.ConversionDir != "" && !filepath.IsAbs(g.ConversionDir) {
		return fault.New(fault.Invalid, "[DEFAULT] image_conversion_dir = %s: it must begin with /", g.ConversionDir)
	}
	for _, url := range g.APIServers {
		if !isHTTP(url) {
			return fault.New(fault.Invalid, "[DEFAULT] glance_api_servers: %s must begin with http:// or https://", url)
		}
	}
	if parts := strings.Split(g.CatalogInfo, ":"); len(parts) != 3 {
		return fault.New(fault.Invalid, "[DEFAULT] glance_catalog_info = %s: it must be service_type:service_name:endpoint_type", g.CatalogInfo)
	}
	return nil
}
