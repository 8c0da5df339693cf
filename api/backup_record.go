package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"clinker/db"
	"clinker/internal/fault"
)

// backupRecord is what an exported backup is written as: base64 of JSON, with the
// names that Cinder's records have. driver_info is the driver's own part.
type backupRecord struct {
	ID               string       `json:"id"`
	UserID           string       `json:"user_id"`
	ProjectID        string       `json:"project_id"`
	VolumeID         string       `json:"volume_id"`
	Host             *string      `json:"host"`
	AvailabilityZone *string      `json:"availability_zone"`
	Container        *string      `json:"container"`
	ParentID         *string      `json:"parent_id"`
	Status           string       `json:"status"`
	FailReason       *string      `json:"fail_reason"`
	Size             int          `json:"size"`
	Name             *string      `json:"display_name"`
	Description      *string      `json:"display_description"`
	ServiceMetadata  *string      `json:"service_metadata"`
	Service          *string      `json:"service"`
	ObjectCount      int          `json:"object_count"`
	TempVolumeID     *string      `json:"temp_volume_id"`
	TempSnapshotID   *string      `json:"temp_snapshot_id"`
	Dependents       int          `json:"num_dependent_backups"`
	SnapshotID       *string      `json:"snapshot_id"`
	DataTimestamp    *string      `json:"data_timestamp"`
	RestoreVolumeID  *string      `json:"restore_volume_id"`
	Metadata         db.StringMap `json:"metadata"`
	EncryptionKeyID  *string      `json:"encryption_key_id"`
	CreatedAt        *string      `json:"created_at"`
	UpdatedAt        *string      `json:"updated_at"`
	DeletedAt        *string      `json:"deleted_at"`
	Deleted          bool         `json:"deleted"`
	DriverInfo       struct {
		Store  string    `json:"store"`  // where the backup lies
		Backup string    `json:"backup"` // under which id; "" for the record's
		Origin db.Origin `json:"origin"` // what the volume was beside its bytes
	} `json:"driver_info"`
}

// recordOf writes a backup down.
func recordOf(b db.Backup) string {
	r := backupRecord{ID: b.ID, UserID: b.UserID, ProjectID: b.ProjectID, VolumeID: b.VolumeID, Host: b.Host,
		AvailabilityZone: b.AvailabilityZone, Container: b.Container, ParentID: b.ParentID, Status: b.Status, FailReason: b.FailReason,
		Size: b.SizeGiB, Name: b.Name, Description: b.Description, ServiceMetadata: b.ServiceMetadata, Service: b.Service,
		ObjectCount: b.ObjectCount, Dependents: b.Dependents, SnapshotID: b.SnapshotID, DataTimestamp: recordTime(b.DataTimestamp),
		RestoreVolumeID: b.RestoreVolumeID, Metadata: b.Metadata, EncryptionKeyID: b.EncryptionKeyID,
		CreatedAt: recordTime(&b.CreatedAt), UpdatedAt: recordTime(b.UpdatedAt)}
	if r.Metadata == nil {
		r.Metadata = db.StringMap{}
	}
	if b.Store != nil {
		r.DriverInfo.Store = *b.Store
	}
	r.DriverInfo.Backup, r.DriverInfo.Origin = b.StoredID(), b.Origin
	raw, _ := json.Marshal(r) // texts and numbers always can be
	return base64.StdEncoding.EncodeToString(raw)
}

const recordTimeLayout = "2006-01-02T15:04:05.999999Z"

func recordTime(at *time.Time) *string {
	if at == nil {
		return nil
	}
	text := at.UTC().Format(recordTimeLayout)
	return &text
}

// requiredOfRecord are the fields without which Cinder imports nothing.
var requiredOfRecord = []string{"container", "display_description", "display_name", "object_count", "service_metadata"}

// readRecord reads what anybody may have written. Invalid, in Cinder's words where
// it has some, says what is wrong with it.
func readRecord(text string) (r backupRecord, err error) {
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(text))
	if err != nil || !utf8.Valid(raw) {
		return r, badRecord("Can't decode backup record.")
	}
	if !json.Valid(raw) {
		return r, badRecord("Can't parse backup record.")
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields) // what is no object has no fields
	for _, needed := range []struct{ field, text string }{
		{"id", "Provided backup record is missing an id"}, {"size", "Provided backup record is missing size attribute"},
	} {
		if _, has := fields[needed.field]; !has {
			return r, badRecord("%s", needed.text)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(requiredOfRecord), func(field string) bool { _, has := fields[field]; return has })
	if len(missing) > 0 {
		return r, fault.New(fault.Invalid, "Invalid backup: Driver successfully decoded imported backup data, but there are missing fields (%s).", strings.Join(missing, ", "))
	}
	if err := exact(raw, &r); err != nil {
		return r, badRecord("Provided backup record is wrong: %s", wrongField(err))
	}
	return r, r.check()
}

func badRecord(format string, args ...any) error {
	return fault.New(fault.Invalid, "Invalid input received: "+format, args...)
}

// wrongField says which field is of another kind, without Go's words.
func wrongField(err error) string {
	if wrong, is := err.(*json.UnmarshalTypeError); is && wrong.Field != "" {
		return fmt.Sprintf("%s must not be a %s", wrong.Field, strings.Fields(wrong.Value)[0])
	}
	return "a field has a value of another kind"
}

// check holds the record's values to what a row can have.
func (r backupRecord) check() error {
	for _, id := range []struct {
		field  string
		value  *string
		needed bool
	}{{"id", &r.ID, true}, {"volume_id", &r.VolumeID, true}, {"parent_id", r.ParentID, false}, {"snapshot_id", r.SnapshotID, false},
		{"restore_volume_id", r.RestoreVolumeID, false}, {"driver_info.backup", &r.DriverInfo.Backup, false}, {"encryption_key_id", r.EncryptionKeyID, false}} {
		if id.value != nil && !db.ValidID(*id.value) && (id.needed || *id.value != "") {
			return badRecord("Provided backup record is wrong: %s must be a UUID", id.field)
		}
	}
	switch {
	case r.Size < 1 || r.Size > math.MaxInt32>>1:
		return badRecord("Provided backup record is wrong: size must be a number of GiB")
	case r.ObjectCount < 0 || r.ObjectCount > math.MaxInt32:
		return badRecord("Provided backup record is wrong: object_count must not be negative or above %d", math.MaxInt32)
	case r.ParentID != nil && *r.ParentID == r.ID:
		return badRecord("Provided backup record is wrong: a backup cannot be its own parent_id")
	}
	return r.checkTexts()
}

func (r backupRecord) checkTexts() error {
	texts := map[string]*string{"container": r.Container, "display_name": r.Name, "display_description": r.Description,
		"service_metadata": r.ServiceMetadata, "service": r.Service, "driver_info": &r.DriverInfo.Store,
		"driver_info name": r.DriverInfo.Origin.Name, "driver_info description": r.DriverInfo.Origin.Description}
	for field, text := range texts {
		if text != nil && !keepable(*text) {
			return badRecord("Provided backup record is wrong: %s must have at most 255 characters, and none that is U+0000", field)
		}
	}
	for _, m := range []db.StringMap{r.Metadata, r.DriverInfo.Origin.Metadata, r.DriverInfo.Origin.ImageMetadata} {
		for key, value := range m {
			if !keepable(key) || !keepable(value) || key == "" {
				return badRecord("Provided backup record is wrong: keys and values of metadata must have at most 255 characters, and none that is U+0000")
			}
		}
	}
	return nil
}

func keepable(text string) bool {
	return utf8.RuneCountInString(text) <= 255 && !strings.Contains(text, "\x00")
}

// row is the backup of the record, as one of the importing project.
func (r backupRecord) row(c *Call) db.Backup {
	b := db.Backup{ID: r.ID, VolumeID: r.VolumeID, ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name: r.Name, Description: r.Description, SizeGiB: r.Size, Container: filled(r.Container), ParentID: filled(r.ParentID),
		SnapshotID: filled(r.SnapshotID), ObjectCount: r.ObjectCount, ServiceMetadata: r.ServiceMetadata,
		Metadata: r.Metadata, Origin: r.DriverInfo.Origin, EncryptionKeyID: filled(r.EncryptionKeyID),
		Service: r.Service, RequestID: c.RequestID}
	if r.DataTimestamp != nil { // else, and when it cannot be, the store knows one
		if told, err := time.Parse(time.RFC3339, *r.DataTimestamp); err == nil && told.Before(time.Now()) && told.Year() > 1970 {
			b.DataTimestamp = &told
		}
	}
	if r.DriverInfo.Backup != r.ID {
		b.DataID = filled(&r.DriverInfo.Backup)
	}
	if r.DriverInfo.Store != "" {
		b.Store = &r.DriverInfo.Store
	}
	return b
}
