package conf

import (
	"net/netip"
	"time"

	"clinker/internal/fault"
)

// API is the part of [DEFAULT] that shapes the REST service.
type API struct {
	Listen                        string        `ini:"osapi_volume_listen" default:"0.0.0.0" help:"The address the API listens on."`
	ListenPort                    int           `ini:"osapi_volume_listen_port" default:"8776" min:"0" max:"65535" help:"The TCP port the API listens on; 0 lets the kernel choose."`
	UseSSL                        bool          `ini:"osapi_volume_use_ssl" default:"false" help:"Serve HTTPS with the certificate in [ssl]."`
	PublicEndpoint                string        `ini:"public_endpoint" default:"" help:"The URL that links in replies start with. Empty: the URL of the request."`
	MaxLimit                      int           `ini:"osapi_max_limit" default:"1000" min:"1" help:"The most items in one reply to a list."`
	MaxRequestBodySize            int64         `ini:"osapi_max_request_body_size" old:"oslo_middleware.max_request_body_size" default:"114688" min:"1" help:"The longest request body, in bytes."`
	AuthStrategy                  string        `ini:"auth_strategy" default:"keystone" choices:"keystone,builtin,noauth" help:"Who tells who a caller is: Keystone, Clinker's own small identity service, or nobody (on loopback only)."`
	DefaultVolumeType             string        `ini:"default_volume_type" default:"__DEFAULT__" help:"The name of the volume type of a volume created without one."`
	DefaultGroupType              string        `ini:"default_group_type" default:"" help:"The name of the group type that clients are told is the default one. Empty: none."`
	DefaultAvailabilityZone       string        `ini:"default_availability_zone" default:"" help:"The availability zone of a volume created without one. Empty: storage_availability_zone."`
	AllowAvailabilityZoneFallback bool          `ini:"allow_availability_zone_fallback" default:"false" help:"When the availability zone asked for does not exist, take the default one instead of refusing."`
	ResourceQueryFiltersFile      string        `ini:"resource_query_filters_file" default:"" help:"A JSON file that says by which fields each resource may be listed. Empty: Cinder's own set."`
	EnableForceUpload             bool          `ini:"enable_force_upload" default:"false" help:"Let volumes in use be made into images by those who force it."`
	ReservedImageNamespaces       []string      `ini:"reserved_image_namespaces" default:"" help:"Beginnings of names of image properties that an image made of a volume does not get; os_glance and img_signature always are."`
	MessageTTL                    time.Duration `ini:"message_ttl" default:"2592000" min:"1" help:"How long user messages are kept, in seconds."`
}

// checkAuth refuses an API without authentication that others can reach.
func (a *API) checkAuth() error {
	if a.AuthStrategy != "noauth" || a.Listen == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(a.Listen); err == nil && ip.IsLoopback() {
		return nil
	}
	return fault.New(fault.Invalid, "[DEFAULT] auth_strategy = noauth: this lets everyone who reaches "+
		"osapi_volume_listen = %s do everything, so a loopback address (127.0.0.1, ::1) is required there", a.Listen)
}
