package api

import (
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

// zones gives where the volume may be placed; none means anywhere. The type's
// RESKEY:availability_zones limits it, and so does an operator's default zone.
func (c *Call) zones(asked string, kind db.VolumeType) ([]string, error) {
	allowed := typeZones(kind)
	if asked == "" && len(allowed) == 0 {
		asked = c.server.DefaultZone
	}
	if asked == "" {
		return allowed, nil
	}
	exists, err := c.zoneExists(asked)
	switch {
	case err != nil:
		return nil, err
	case exists && admits(allowed, asked):
		return []string{asked}, nil
	case c.server.ZoneFallback:
		return c.fallbackZones(allowed)
	}
	return nil, invalidZone(asked)
}

// fallbackZones is the default zone, if there is one that the type is for; else where the
// type is for.
func (c *Call) fallbackZones(allowed []string) ([]string, error) {
	zone := c.server.DefaultZone
	if zone == "" || !admits(allowed, zone) {
		return allowed, nil
	}
	exists, err := c.zoneExists(zone)
	if err == nil && exists {
		allowed = []string{zone}
	}
	return allowed, err
}

// admits tells whether a zone is one of a type's.
func admits(allowed []string, zone string) bool {
	return len(allowed) == 0 || slices.Contains(allowed, zone)
}

func invalidZone(name string) error {
	return fault.New(fault.Invalid, "Availability zone '%s' is invalid.", name)
}

// typeZones gives the zones that a type's volumes may be in; none means all.
func typeZones(kind db.VolumeType) (allowed []string) {
	for zone := range strings.SplitSeq(kind.ExtraSpecs["RESKEY:availability_zones"], ",") {
		if zone = strings.TrimSpace(zone); zone != "" {
			allowed = append(allowed, zone)
		}
	}
	return allowed
}

func (c *Call) zoneExists(name string) (bool, error) {
	exists, err := c.server.zones.get(name, func() (bool, error) {
		zones, err := c.database().Zones(c.Context())
		if err == nil && !slices.ContainsFunc(zones, func(z db.Zone) bool { return z.Name == name }) {
			err = invalidZone(name)
		}
		return true, err
	})
	if fault.Is(err, fault.Invalid) {
		return false, nil
	}
	return exists, err
}

// copyZones is zones for a copy: the zone of its source, and no other
// (cloned_volume_same_az).
func (c *Call) copyZones(asked string, kind db.VolumeType, s *volumeSource) ([]string, error) {
	if s == nil || s.zone == "" {
		return c.zones(asked, kind)
	}
	if asked != "" && asked != s.zone {
		exists, err := c.zoneExists(asked)
		if err == nil && !exists {
			err = invalidZone(asked)
		}
		if err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Invalid, "Invalid input received: Volume must be in the same availability zone as the %s", s.what)
	}
	if !admits(typeZones(kind), s.zone) {
		return nil, invalidZone(s.zone)
	}
	return []string{s.zone}, nil
}
