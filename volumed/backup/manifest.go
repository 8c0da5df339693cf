package backup

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"clinker/internal/fault"
)

// Place is where a backup lies in a store.
type Place struct {
	ID        string `json:"id"`
	Container string `json:"container"`
}

func (p Place) manifestKey() string { return p.manifests() + "/" + p.ID }
func (p Place) manifests() string   { return p.Container + "/manifest" }
func (p Place) data() string        { return p.Container + "/data/" + p.ID }
func (p Place) key(d digest) string { return p.data() + "/" + d.String() }

// Check gives Invalid for what cannot be a place.
func (p Place) Check() error {
	if err := p.CheckID(); err != nil {
		return err
	}
	return CheckContainer(p.Container)
}

// CheckID gives Invalid for what is no backup's id. It is enough where a backup is
// taken away: there is none in what cannot be a container.
func (p Place) CheckID() error {
	if uuid.Validate(p.ID) != nil || len(p.ID) != 36 {
		return fault.New(fault.Invalid, "the backup's id is not a UUID")
	}
	return nil
}

// Manifest is what a store says of a whole backup.
type Manifest struct {
	Place
	VolumeID    string            `json:"volume_id"`
	Bytes       int64             `json:"bytes"` // of the source
	CreatedAt   int64             `json:"created_at"`
	Parent      *Place            `json:"parent,omitempty"` // nil of a full one
	Objects     int               `json:"objects"`          // its own
	StoredBytes int64             `json:"stored_bytes"`     // of its own objects
	Metadata    map[string]string `json:"metadata,omitempty"`
	// Needs are the other backups whose objects it uses.
	Needs []Place `json:"needs,omitempty"`
	// Basis is the backend's identity of the snapshot that was read, "" for none
	// that can be found again: a later backup asks what has changed since.
	Basis string `json:"basis,omitempty"`

	Format     int      `json:"format"`
	ChunkBytes int64    `json:"chunk_bytes"`
	Table      []string `json:"table,omitempty"` // digests of the table's pieces
	TableBytes int64    `json:"table_bytes"`
}

// What bounds a manifest.
const (
	manifestFormat   = 3
	maxManifestBytes = 8 << 20
	maxBytes         = 1 << 50 // of a volume
	maxChunks        = 1 << 24
	maxNeeds         = 1 << 14
	minChunkBytes    = 64 << 10
	maxChunkBytes    = 1 << 28
	tablePieceBytes  = 4 << 20
	maxTableBytes    = 1 << 30
)

// chunks is into how many chunks the backup is cut.
func (m *Manifest) chunks() int64 { return (m.Bytes + m.ChunkBytes - 1) / m.ChunkBytes }

// lengthOf gives how many bytes of the source are in a chunk: the last may be short.
func (m *Manifest) lengthOf(chunk int64) int64 {
	return min(m.ChunkBytes, m.Bytes-chunk*m.ChunkBytes)
}

// owners are the backups whose objects a table can name, itself first.
func (m *Manifest) owners() []Place { return append([]Place{m.Place}, m.Needs...) }

// seal gives the manifest's object: the HMAC in hex, a line feed, JSON.
func (k keys) seal(m *Manifest) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(body) > maxManifestBytes-2*sha256.Size-1 {
		return nil, fault.New(fault.Invalid, "the backup's metadata is too long")
	}
	object := hex.AppendEncode(make([]byte, 0, 2*sha256.Size+1+len(body)), k.authenticate(body))
	return append(append(object, '\n'), body...), nil
}

func (k keys) authenticate(body []byte) []byte {
	sum := hmac.New(sha256.New, k.manifest)
	sum.Write(body)
	return sum.Sum(nil)
}

// open reads the manifest of a place, and believes nothing that the key does not
// vouch for.
func (k keys) open(object []byte, of Place) (*Manifest, error) {
	code, body, ok := bytes.Cut(object, []byte{'\n'})
	if !ok || len(code) != 2*sha256.Size || !hmac.Equal(code, hex.AppendEncode(nil, k.authenticate(body))) {
		return nil, damaged("its manifest is not authentic")
	}
	m, err := parseManifest(body)
	if err == nil && m.Place != of {
		err = damaged("its manifest is that of another")
	}
	return m, err
}

// parseManifest reads the JSON, and refuses what could not be worked with.
func parseManifest(body []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, damaged("its manifest cannot be read")
	}
	if m.Format != manifestFormat {
		return nil, fault.New(fault.Unsupported, "the backup has format %d, which is not known here", m.Format)
	}
	power := m.ChunkBytes > 0 && m.ChunkBytes&(m.ChunkBytes-1) == 0
	switch {
	case !power || m.ChunkBytes < minChunkBytes || m.ChunkBytes > maxChunkBytes,
		m.Bytes <= 0 || m.Bytes > maxBytes || m.chunks() > maxChunks,
		m.TableBytes < 0 || m.TableBytes > maxTableBytes,
		int64(len(m.Table)) != (m.TableBytes+tablePieceBytes-1)/tablePieceBytes,
		len(m.Needs) > maxNeeds, m.Objects < 0, m.StoredBytes < 0:
		return nil, damaged("its manifest contradicts itself")
	}
	places := m.owners()
	if m.Parent != nil {
		places = append(places, *m.Parent)
	}
	if slices.ContainsFunc(places, func(p Place) bool { return p.Check() != nil }) {
		return nil, damaged("its manifest names no places")
	}
	return m, nil
}

// damaged is the fault for a backup that cannot be trusted.
func damaged(how string) error { return fault.New(fault.Invalid, "the backup is damaged: %s", how) }
