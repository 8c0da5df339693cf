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

// TestZonesThatAreNot: of a type's zones only those count that there are, and with none
// of them the type is for nobody.
func TestZonesThatAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.volumeType(`{"name": "half", "extra_specs": {"RESKEY:availability_zones": "mars, nova"}}`)
	w.volumeType(`{"name": "far", "extra_specs": {"RESKEY:availability_zones": "mars,venus"}}`)
	if got := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "half"}}`).want(t, 202).at("volume", "availability_zone"); got != "nova" {
		t.Errorf("in zone %v", got)
	}
	const refusal = `{"badRequest":{"code":400,"message":"Volume type is only supported in these availability zones: ['mars', 'venus']"}}`
	for _, zone := range []string{"", `, "availability_zone": "nova"`, `, "availability_zone": "mars"`, `, "source_volid": "` + w.volume("member", "") + `"`} {
		if r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "volume_type": "far"`+zone+`}}`).want(t, 400); r.body != refusal {
			t.Errorf("%s: %s", zone, r.body)
		}
	}
}

// TestCopyFallsBack: a copy into a zone that there is not is made in the default zone
// where that is allowed, and its source is there.
func TestCopyFallsBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fallback bool
		zone     string // the default
		asked    string
		status   int
	}{
		"not allowed":                {false, "nova", "mars", 400},
		"the source's":               {true, "nova", "mars", 202},
		"not the source's":           {true, "az1", "mars", 400},
		"no default zone":            {true, "venus", "mars", 202},
		"a zone, but not that one's": {true, "nova", "az1", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *Options) { o.ZoneFallback, o.DefaultZone = c.fallback, c.zone })
			if _, err := w.db.Heartbeat(t.Context(), db.Service{Host: "node2@lvm", Daemon: db.DaemonVolume, AvailabilityZone: "az1", Endpoint: "https://127.0.0.1:2"}); err != nil {
				t.Fatal(err)
			}
			source := w.volume("member", `, "availability_zone": "nova"`)
			r := w.do("member", "POST", "/v3/volumes", `{"volume": {"source_volid": "`+source+`", "availability_zone": "`+c.asked+`"}}`).want(t, c.status)
			if c.status == 202 && r.at("volume", "availability_zone") != "nova" {
				t.Error(r.body)
			}
		})
	}
}
