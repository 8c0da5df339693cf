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

	"golang.org/x/sys/unix"

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
		return path, h.regrown(ctx, *state, disk)
	}
	e, passphrase, err := h.cloud.passphrase(ctx, state.VolumeID)
	if err != nil {
		return "", err
	}
	device := h.system.node(disk)
	if state.Formatting != "" {
		err = h.reformatted(ctx, state, device, e, passphrase)
	} else {
		err = h.formatted(ctx, state, device, e, passphrase, c.ReadOnly)
	}
	if err != nil || h.system.mapped(state.Mapper) {
		return path, err
	}
	return path, h.crypt.Open(ctx, device, state.Mapper, passphrase, c.ReadOnly)
}

// blankBytes is how much of a disk must be zeroes for it to count as never used:
// more than any header of a file system, a partition table or LUKS takes. A storage
// node gives a new volume that is to be encrypted so many (volumed, headBytes).
const blankBytes = 32 << 20

// luksMagic begins a LUKS header of either version.
var luksMagic = []byte("LUKS\xba\xbe")

// formatted writes a LUKS header onto a volume that was never used, as whoever
// attaches it first must. A disk with anything on it that is not LUKS is refused:
// it is not what the service says, and formatting it would lose it.
func (h *Host) formatted(ctx context.Context, state *State, device string, e Encryption, passphrase secret, readOnly bool) error {
	head, blank, err := look(device, 0)
	switch {
	case err != nil:
		return err
	case bytes.Equal(head, luksMagic):
		return nil
	case !blank:
		return errNotBlank
	case readOnly:
		return fault.New(fault.Conflict, "the volume was never used: attach it once to write before it is attached to read")
	}
	slog.InfoContext(ctx, "a volume that was never used gets its LUKS header", "device", device)
	return h.format(ctx, state, device, e, passphrase)
}

var errNotBlank = fault.New(fault.Conflict, "the volume is to be encrypted, but what is on it has no LUKS header, and it is not blank; nothing was changed")

// reformatted is for a header whose writing was interrupted, or has not been heard to
// end. One that opens the disk is whole; else it is written anew, unless there is
// something behind it.
func (h *Host) reformatted(ctx context.Context, state *State, device string, e Encryption, passphrase secret) error {
	whole, err := h.opens(ctx, state, device, passphrase)
	if whole {
		state.Formatting = ""
		return h.states.Save(*state)
	}
	if err == nil {
		err = onlyHeader(state, device)
	}
	if err != nil {
		return err
	}
	slog.WarnContext(ctx, "the writing of a LUKS header was interrupted, and is done anew", "device", device)
	return h.format(ctx, state, device, e, passphrase)
}

// opens tells whether a disk has a header that opens it, as it then does.
func (h *Host) opens(ctx context.Context, state *State, device string, passphrase secret) (bool, error) {
	head, _, err := look(device, 0)
	if err != nil || !bytes.Equal(head, luksMagic) {
		return false, err
	}
	err = h.crypt.Open(ctx, device, state.Mapper, passphrase, false)
	if fault.Is(err, fault.Unauthorized) || fault.Is(err, fault.Internal) {
		return false, nil
	}
	return err == nil, err
}

// onlyHeader is nil when nothing was ever written behind the header.
func onlyHeader(state *State, device string) error {
	_, blank, err := look(device, headerBytes[state.Formatting])
	if err == nil && !blank {
		err = errNotBlank
	}
	return err
}

// headerBytes is how much the header of a LUKS version takes, as cryptsetup lays it out.
var headerBytes = map[string]int64{"luks1": 2 << 20, "luks2": 16 << 20}

// format writes a header. That is written down before, and when it is done.
func (h *Host) format(ctx context.Context, state *State, device string, e Encryption, passphrase secret) error {
	state.Formatting = e.format()
	if err := h.states.Save(*state); err != nil {
		return err
	}
	if err := h.crypt.Format(ctx, device, e, passphrase); err != nil {
		return err
	}
	state.Formatting = ""
	return h.states.Save(*state)
}

// unformatted makes a disk blank again on which a header was begun and is not whole,
// lest it is taken for one with something on it wherever it is attached next.
func (h *Host) unformatted(ctx context.Context, state *State, device string) error {
	_, passphrase, err := h.cloud.passphrase(ctx, state.VolumeID)
	if err != nil {
		return err
	}
	if whole, err := h.opens(ctx, state, device, passphrase); whole {
		return h.crypt.Close(ctx, state.Mapper)
	} else if err != nil {
		return err
	}
	if err := onlyHeader(state, device); err != nil {
		return err
	}
	f, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, headerBytes[state.Formatting]))
	return errors.Join(err, f.Sync(), f.Close())
}

// look reads what a disk holds from an offset on, and tells whether that begins with
// zeroes only.
func look(device string, from int64) (head []byte, blank bool, err error) {
	f, err := os.Open(device)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	blank = true
	piece, zeroes := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := from; at < blankBytes && blank; {
		n, err := f.ReadAt(piece, at)
		if at == from {
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
// uses it; Unavailable, and nothing changed, while it cannot be written: see reachable.
func (h *Host) locked(ctx context.Context, state State, gone bool) error {
	disk := h.system.mapperDisk(state.Mapper)
	if state.Mapper == "" || disk == "" && !h.system.mapped(state.Mapper) {
		return nil
	}
	if disk != "" {
		if uses := h.usesOf(ctx, disk); len(uses) > 0 {
			return fault.New(fault.Busy, "volume %s is in use: %s", state.VolumeID, strings.Join(uses, ", "))
		}
	}
	if below := h.diskOf(state); below != "" {
		if err := h.reachable(ctx, state, below, gone); err != nil {
			return err
		}
	}
	if disk != "" && !gone {
		if err := h.system.flush(disk, unix.O_EXCL); err != nil {
			return err
		}
	}
	return h.crypt.Close(ctx, state.Mapper)
}

// regrown has what decrypts a volume show the size that its disk has now. It is
// behind when the disk has grown, which is by a GiB at least, and somebody was
// interrupted then.
func (h *Host) regrown(ctx context.Context, state State, disk string) error {
	plain := h.system.mapperDisk(state.Mapper)
	if state.Mapper == "" || plain == "" {
		return nil
	}
	has, err := h.system.sizeOf(plain)
	if err != nil {
		return err
	}
	if wants, err := h.system.sizeOf(disk); err != nil || wants-has < gib {
		return err
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
