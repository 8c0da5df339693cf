package api

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

// volumeRequest is the body of volumes.create.
type volumeRequest struct {
	Volume struct {
		Name               *trimmed          `json:"name"`
		DisplayName        *trimmed          `json:"display_name"`
		Description        *trimmed          `json:"description"`
		DisplayDescription *trimmed          `json:"display_description"`
		Size               gib               `json:"size"`
		VolumeType         string            `json:"volume_type"`
		Zone               string            `json:"availability_zone"`
		Metadata           map[string]string `json:"metadata"`
		Multiattach        boolish           `json:"multiattach"`
		SnapshotID         string            `json:"snapshot_id"`
		SourceVolid        string            `json:"source_volid"`
		ImageRef           *string           `json:"imageRef"`
		ImageID            string            `json:"image_id"`
		BackupID           string            `json:"backup_id"`
		GroupID            string            `json:"group_id"`
		ConsistencyGroup   string            `json:"consistencygroup_id"`
	} `json:"volume"`
	Hints struct {
		SameHost      ids `json:"same_host"`
		DifferentHost ids `json:"different_host"`
	} `json:"OS-SCH-HNT:scheduler_hints"`
}

// ids is one UUID or a list of them.
type ids []string

// UnmarshalJSON reads either form.
func (i *ids) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		if one != "" {
			*i = ids{one}
		}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(i))
}

func (s *Server) createVolume(c *Call) (View, error) {
	var in volumeRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if in.Volume.Multiattach {
		return nil, fault.New(fault.Invalid, "multiattach parameter has been removed. The default behavior is to use multiattach enabled volume types. Contact your administrator to create a multiattach enabled volume type and use it to create multiattach volumes.")
	}
	if err := in.checkSources(); err != nil {
		return nil, err
	}
	source, err := c.source(in)
	if err != nil {
		return nil, err
	}
	group, err := c.groupFor(in)
	if err != nil {
		return nil, err
	}
	image, err := c.image(in)
	if err != nil {
		return nil, err
	}
	kind, err := c.kind(cmp.Or(in.Volume.VolumeType, imageType(image)), source)
	if err != nil {
		return nil, err
	}
	v, err := c.newVolume(in, kind, source)
	if err == nil {
		err = giveImage(image, &v)
	}
	if err != nil {
		return nil, err
	}
	if group != nil {
		if err := group.admit(&v); err != nil {
			return nil, err
		}
		in.Volume.Zone = group.AvailabilityZone
	}
	zones, err := c.copyZones(in.Volume.Zone, kind, source)
	if err != nil {
		return nil, err
	}
	if len(zones) > 0 {
		v.AvailabilityZone = zones[0]
	}
	args := db.VolumeCreateArgs{VolumeID: v.ID, Request: c.RequestID, Zones: zones,
		SameHost: in.Hints.SameHost, DifferentHost: in.Hints.DifferentHost}
	keys, err := c.encrypt(&v, kind, source, image)
	if err != nil {
		return nil, err
	}
	err = c.insertVolume(&v, kind, args, keys, func(tx *db.Tx) error { return tx.HoldSources(c.Context(), v) })
	if err != nil {
		keys.abandon()
		return nil, err
	}
	return c.volumeAnswer(volumeView{Volume: v}, false), nil
}

// checkSources refuses more than one source.
func (in volumeRequest) checkSources() error {
	v := in.Volume
	given := 0
	if _, image := in.imageRef(); image {
		given++
	}
	for _, source := range []string{v.SnapshotID, v.SourceVolid, v.BackupID} {
		if source != "" {
			given++
		}
	}
	if given > 1 {
		return fault.New(fault.Invalid, "May specify only one of snapshot, imageRef, backup or source volume")
	}
	return nil
}

// typeForCreate finds the type asked for, or the project's default one, or that
// of the configuration. A default that does not exist is the operator's mistake,
// not the caller's. A private type that has been made a project's default must
// have been given to the project too.
func (c *Call) typeForCreate(name string) (db.VolumeType, error) {
	if name != "" {
		return c.database().VolumeTypeByName(c.Context(), name, c.Scope())
	}
	kind, err := c.database().VolumeTypeByDefault(c.Context(), c.Identity.ProjectID, c.server.DefaultType)
	switch {
	case fault.Is(err, fault.NotFound):
		return kind, fault.Wrap(err, misconfigured, "The request cannot be fulfilled as the default volume type %s cannot be found.", c.server.DefaultType)
	case err == nil && !kind.IsPublic && kind.Name != c.server.DefaultType:
		return c.database().VolumeType(c.Context(), kind.ID, c.typeScope())
	}
	return kind, err
}

// newVolume builds the row from the request, its source and its type.
func (c *Call) newVolume(in volumeRequest, kind db.VolumeType, source *volumeSource) (db.Volume, error) {
	size := int(in.Volume.Size)
	v := db.Volume{
		ID: uuid.NewString(), ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name:        firstOf(in.Volume.Name, in.Volume.DisplayName).optional(),
		Description: firstOf(in.Volume.Description, in.Volume.DisplayDescription).optional(),
		Status:      "creating", Generation: 1, SizeGiB: size,
		VolumeTypeID: kind.ID, VolumeType: kind.Name, AvailabilityZone: c.server.ShownZone,
		Metadata: in.Volume.Metadata, Multiattach: kind.ExtraSpecs.IsTrue("multiattach"),
		ConsumesQuota: true, RequestID: c.RequestID,
	}
	if source != nil {
		if err := source.give(&v); err != nil {
			return v, err
		}
	}
	if v.SizeGiB == 0 {
		return v, fault.New(fault.Invalid, "The server could not comply with the request since it is either malformed or otherwise incorrect: a size in GiB is needed.")
	}
	if v.Multiattach {
		if err := c.Require("volume:multiattach", c.caller()); err != nil {
			return v, err
		}
	}
	if err := checkEncryption(kind, v); err != nil {
		return v, err
	}
	return v, checkTypeSize(kind, v.SizeGiB)
}

// checkEncryption refuses encrypted volumes to which several hosts would write, in
// Cinder's words.
func checkEncryption(kind db.VolumeType, v db.Volume) error {
	if kind.Encrypted && v.Multiattach {
		return fault.New(fault.Invalid, "Invalid volume: Multiattach cannot be used with encrypted volumes.")
	}
	return nil
}

// checkTypeSize holds the size against the type's provisioning:min_vol_size and
// max_vol_size, in GiB.
func checkTypeSize(kind db.VolumeType, size int) error {
	least, err := strconv.Atoi(kind.ExtraSpecs["provisioning:min_vol_size"])
	if err == nil && size < least {
		return fault.New(fault.Invalid, "Invalid input received: Specified volume size of '%d' is less than the minimum required size of '%d' for volume type '%s'.", size, least, kind.Name)
	}
	most, err := strconv.Atoi(kind.ExtraSpecs["provisioning:max_vol_size"])
	if err == nil && size > most {
		return fault.New(fault.Invalid, "Invalid input received: Specified volume size of '%d' is greater than the maximum allowable size of '%d' for volume type '%s'.", size, most, kind.Name)
	}
	return nil
}

// insertVolume writes row, quota and job in one transaction, in which its keys are
// kept, and what also is to be.
func (c *Call) insertVolume(v *db.Volume, kind db.VolumeType, args db.VolumeCreateArgs, keys *volumeKeys, also func(*db.Tx) error) error {
	return c.tx(func(tx *db.Tx) error {
		tx.ReleaseEarly()
		tx.CheckVolumeSize(c.Identity.ProjectID, v.SizeGiB, c.server.Limits)
		name, err := tx.HoldTypeAs(c.Context(), kind)
		if err != nil {
			return err
		}
		v.VolumeType = name
		if err := also(tx); err != nil {
			return err
		}
		if v.GroupID != nil {
			if err := tx.HoldGroupForVolume(c.Context(), *v.GroupID); err != nil {
				return err
			}
		}
		use := db.VolumeUse(v.SizeGiB, name, 1)
		if err := tx.Use(c.Context(), v.ProjectID, use, c.server.Limits); err != nil {
			return err
		}
		if err := tx.InsertVolume(c.Context(), v); err != nil {
			return err
		}
		keys.keep(tx, v.ID)
		return tx.Enqueue(c.Context(), args)
	})
}

// checkVolumeSize holds a size against the project's per_volume_gigabytes.
func (c *Call) checkVolumeSize(size int) error {
	const resource = db.QuotaPerVolumeGigabytes
	set, err := c.database().QuotaSet(c.Context(), c.Identity.ProjectID, []string{resource}, c.server.Limits)
	if err != nil {
		return err
	}
	if limit := set[resource].Limit; limit >= 0 && size > limit {
		return db.VolumeTooLarge(size, limit)
	}
	return nil
}
