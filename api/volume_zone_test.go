package api

import (
	"testing"

	"clinker/db"
)

// TestVolumeZones: a type's RESKEY:availability_zones also holds for those who ask for
// another, and allow_availability_zone_fallback takes the default zone for one that does
// not exist, as their descriptions say.
func TestVolumeZones(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fallback     bool
		zone         string // the default
		asked        string
		bound, plain string // what a volume of a type for az1 and az2, and of another, gets; "" for 400
	}{
		"as asked":                  {false, "nova", "az1", "az1", "az1"},
		"not the type's":            {false, "nova", "nova", "", "nova"},
		"none":                      {false, "nova", "mars", "", ""},
		"none asked":                {false, "nova", "", "az1", "nova"},
		"fallback":                  {true, "az2", "mars", "az2", "az2"},
		"fallback from the others'": {true, "nova", "nova", "az1", "nova"},
		"fallback without default":  {true, "venus", "mars", "az1", "nova"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *Options) { o.ZoneFallback, o.DefaultZone = c.fallback, c.zone })
			for host, zone := range map[string]string{"node2@lvm": "az1", "node3@lvm": "az2"} {
				if _, err := w.db.Heartbeat(t.Context(), db.Service{Host: host, Daemon: db.DaemonVolume, AvailabilityZone: zone, Endpoint: "https://127.0.0.1:2"}); err != nil {
					t.Fatal(err)
				}
			}
			w.volumeType(`{"name": "bound", "extra_specs": {"RESKEY:availability_zones": "az1,az2"}}`)
			asked := ""
			if c.asked != "" {
				asked = `, "availability_zone": "` + c.asked + `"`
			}
			for kind, want := range map[string]string{"bound": c.bound, "__DEFAULT__": c.plain} {
				r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "`+kind+`"`+asked+`}}`)
				if want == "" {
					r.want(t, 400)
				} else if got := r.want(t, 202).at("volume", "availability_zone"); got != want {
					t.Errorf("%s: in zone %v, want %s", kind, got, want)
				}
			}
		})
	}
}
