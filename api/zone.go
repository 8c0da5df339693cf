package api

import (
	"cmp"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

// zones gives where the volume may be placed; none means anywhere. The type's
// RESKEY:availability_zones limits it, and so does an operator's default zone.
func (c *Call) zones(asked string, kind db.VolumeType) ([]string, error) {
	allowed, err := c.typeZones(kind)
	if err != nil {
		return nil, err
	}
	if asked == "" && len(allowed) == 0 {
		asked = c.server.DefaultZone
	}
	if asked == "" {
		return allowed, nil
	}
	return c.zonesFor(asked, allowed)
}

// zonesFor is the zone asked for, if there is one that the type is for, or with
// allow_availability_zone_fallback what takes its place.
func (c *Call) zonesFor(asked string, allowed []string) ([]string, error) {
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

// typeZones gives the zones that a type's volumes may be in, of those that there are;
// none means all. Invalid where the type is for zones, and there is none of them.
func (c *Call) typeZones(kind db.VolumeType) (allowed []string, err error) {
	named := zoneNames(kind)
	for _, zone := range named {
		exists, err := c.zoneExists(zone)
		if err != nil {
			return nil, err
		}
		if exists {
			allowed = append(allowed, zone)
		}
	}
	if len(allowed) == 0 && len(named) > 0 {
		return nil, fault.New(fault.Invalid, "Volume type is only supported in these availability zones: ['%s']", strings.Join(named, "', '"))
	}
	return allowed, nil
}

// zoneNames are the zones that a type is for, whether there are such or not.
func zoneNames(kind db.VolumeType) (names []string) {
	for zone := range strings.SplitSeq(kind.ExtraSpecs["RESKEY:availability_zones"], ",") {
		if zone = strings.TrimSpace(zone); zone != "" {
			names = append(names, zone)
		}
	}
	return names
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
// (cloned_volume_same_az). The source is where it is, also if no node says any more
// that it is in that zone, unless the type is for zones.
func (c *Call) copyZones(asked string, kind db.VolumeType, s *volumeSource) ([]string, error) {
	if s == nil || s.zone == "" {
		return c.zones(asked, kind)
	}
	allowed, err := c.typeZones(kind)
	if err != nil {
		return nil, err
	}
	if (asked == "" || asked == s.zone) && admits(allowed, s.zone) {
		return []string{s.zone}, nil
	}
	placed, err := c.zonesFor(cmp.Or(asked, s.zone), allowed)
	if err != nil {
		return nil, err
	}
	if !admits(placed, s.zone) {
		return nil, fault.New(fault.Invalid, "Invalid input received: Volume must be in the same availability zone as the %s", s.what)
	}
	return []string{s.zone}, nil
}
