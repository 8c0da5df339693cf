package carry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"clinker/internal/fault"
)

// Encryption is how a volume is encrypted, as the service tells it.
type Encryption struct {
	KeyID    string `json:"encryption_key_id"`
	Provider string `json:"provider"`
	Cipher   string `json:"cipher"`
	KeyBits  int    `json:"key_size"`
	Location string `json:"control_location"`
}

// format is the LUKS version behind a provider, "" for one that is not LUKS.
func (e Encryption) format() string {
	switch e.Provider {
	case "luks2":
		return "luks2"
	case "luks", "LuksEncryptor", "nova.volume.encryptors.luks.LuksEncryptor", "os_brick.encryptors.luks.LuksEncryptor":
		return "luks1"
	}
	return ""
}

func mapperName(volumeID string) string { return "clinker-" + volumeID }

// unlocked gives the path of a volume's plain bytes: of the disk, or of what
// decrypts it. That is written down before it is made.
func (h *Host) unlocked(ctx context.Context, state *State, disk string, c Connection) (string, error) {
	if !c.Encrypted {
		return h.system.stablePath(disk, c), nil
	}
	state.Mapper = mapperName(state.VolumeID)
	if err := h.states.Save(*state); err != nil {
		return "", err
	}
	path := "/dev/mapper/" + state.Mapper
	if h.system.mapped(state.Mapper) {
		return path, nil
	}
	e, passphrase, err := h.cloud.passphrase(ctx, state.VolumeID)
	if err != nil {
		return "", err
	}
	device := h.system.node(disk)
	if err := h.formatted(ctx, device, e, passphrase, c.ReadOnly); err != nil {
		return "", err
	}
	return path, h.crypt.Open(ctx, device, state.Mapper, passphrase, c.ReadOnly)
}

// blankBytes is how much of a disk must be zeroes for it to count as never used:
// more than any header of a file system, a partition table or LUKS takes.
const blankBytes = 32 << 20

// luksMagic begins a LUKS header of either version.
var luksMagic = []byte("LUKS\xba\xbe")

// formatted writes a LUKS header onto a volume that was never used, as whoever
// attaches it first must. A disk with anything on it that is not LUKS is refused:
// it is not what the service says, and formatting it would lose it.
func (h *Host) formatted(ctx context.Context, device string, e Encryption, passphrase secret, readOnly bool) error {
	head, blank, err := look(device)
	switch {
	case err != nil:
		return err
	case bytes.Equal(head, luksMagic):
		return nil
	case !blank:
		return fault.New(fault.Conflict, "the volume is to be encrypted, but what is on it has no LUKS header, and it is not blank; nothing was changed")
	case readOnly:
		return fault.New(fault.Conflict, "the volume was never used: attach it once to write before it is attached to read")
	}
	slog.InfoContext(ctx, "a volume that was never used gets its LUKS header", "device", device)
	return h.crypt.Format(ctx, device, e, passphrase)
}

// look reads a disk's first bytes, and tells whether it begins with zeroes only.
func look(device string) (head []byte, blank bool, err error) {
	f, err := os.Open(device)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	blank = true
	piece, zeroes := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < blankBytes && blank; {
		n, err := f.ReadAt(piece, at)
		if at == 0 {
			head = bytes.Clone(piece[:min(n, len(luksMagic))])
		}
		blank = bytes.Equal(piece[:n], zeroes[:n])
		at += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false, err
		}
	}
	return head, blank, nil
}

// passphrase asks how a volume is encrypted, and fetches what opens it.
func (c *Cloud) passphrase(ctx context.Context, volumeID string) (Encryption, secret, error) {
	e, err := c.Encryption(ctx, volumeID)
	if err != nil {
		return e, "", err
	}
	if e.format() == "" || e.Location != "front-end" {
		return e, "", fault.New(fault.Unsupported, "volume %s is encrypted with %q at the %s, and this machine can open luks and luks2 at the front-end", volumeID, e.Provider, e.Location)
	}
	key, err := c.key(ctx, e.KeyID)
	return e, key, err
}

// locked closes what decrypts a volume. Busy, and nothing changed, while anything
// uses it.
func (h *Host) locked(ctx context.Context, state State, gone bool) error {
	disk := h.system.mapperDisk(state.Mapper)
	if state.Mapper == "" || disk == "" && !h.system.mapped(state.Mapper) {
		return nil
	}
	if disk != "" {
		if uses := h.system.usesOf(disk); len(uses) > 0 {
			return fault.New(fault.Busy, "volume %s is in use: %s", state.VolumeID, strings.Join(uses, ", "))
		}
		if !gone {
			if err := h.system.flush(disk); err != nil {
				return err
			}
		}
	}
	return h.crypt.Close(ctx, state.Mapper)
}

// regrown has what decrypts a volume show the size that its disk has now.
func (h *Host) regrown(ctx context.Context, state State) error {
	if state.Mapper == "" {
		return nil
	}
	_, passphrase, err := h.cloud.passphrase(ctx, state.VolumeID)
	if err != nil {
		return err
	}
	return h.crypt.Resize(ctx, state.Mapper, passphrase)
}

// mapped tells whether there is a device of that name under /dev/mapper.
func (s system) mapped(name string) bool {
	_, err := os.Lstat(rooted(s.root, "dev/mapper/"+name))
	return err == nil
}

// mapperDisk is the kernel's name (dm-3) of a device-mapper device; "" for none.
func (s system) mapperDisk(name string) string {
	names, _ := filepath.Glob(rooted(s.root, "sys/class/block/dm-*/dm/name"))
	for _, path := range names {
		if text(path) == name {
			return filepath.Base(filepath.Dir(filepath.Dir(path)))
		}
	}
	return ""
}
