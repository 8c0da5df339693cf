package keys

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"clinker/internal/fault"
)

// Ring is the keys of a key file. The first seals; all open, so that a new one
// can be put before the others.
type Ring struct{ slots []slot }

// slot is one of them, with the beginning of its digest, by which a sealed key
// says what opens it.
type slot struct {
	mark uint32
	aead cipher.AEAD
}

// fileKeyBytes is the length of each key of a key file.
const fileKeyBytes = chacha20poly1305.KeySize

// sealedForm is the first byte of what is sealed in this form: XChaCha20-Poly1305,
// whose nonces are long enough to be random.
const sealedForm = 1

const sealedHead = 1 + 4 + chacha20poly1305.NonceSizeX

// ReadRing reads a key file: a line of base64 for each key, # begins a comment.
// Forbidden when others than its owner may read it; Invalid when it has no key.
func ReadRing(path string) (*Ring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the key file %s cannot be read; clinker keyfile makes one", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Forbidden, "the key file %s has mode %04o: others than its owner may read it, and 0600 is needed", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the key file %s cannot be read", path)
	}
	return parseRing(path, string(text))
}

func parseRing(path, text string) (*Ring, error) {
	r := &Ring{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != fileKeyBytes {
			return nil, fault.New(fault.Invalid, "the key file %s has a line that is not %d bytes in base64", path, fileKeyBytes)
		}
		aead, err := chacha20poly1305.NewX(raw)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		r.slots = append(r.slots, slot{binary.BigEndian.Uint32(sum[:4]), aead})
	}
	if len(r.slots) == 0 {
		return nil, fault.New(fault.Invalid, "the key file %s holds no key", path)
	}
	return r, nil
}

// about binds what is sealed to its row: it opens in no other.
func about(row Sealed) []byte {
	return fmt.Appendf(nil, "clinker key %s of project %s: %s, %d bits", row.ID, row.ProjectID, row.Algorithm, row.Bits)
}

func (r *Ring) seal(row Sealed, m Material) []byte {
	s := r.slots[0]
	head := make([]byte, sealedHead, sealedHead+len(m)+s.aead.Overhead())
	head[0] = sealedForm
	binary.BigEndian.PutUint32(head[1:], s.mark)
	rand.Read(head[5:])
	return s.aead.Seal(head, head[5:], m, about(row))
}

// open gives the bytes of a row. Internal when the key file does not open it.
func (r *Ring) open(row Sealed) (Material, error) {
	if len(row.Sealed) < sealedHead || row.Sealed[0] != sealedForm {
		return nil, fault.New(fault.Internal, "the key %s is not sealed in a form that is known", row.ID)
	}
	mark, nonce := binary.BigEndian.Uint32(row.Sealed[1:]), row.Sealed[5:sealedHead]
	for _, s := range r.slots {
		if s.mark != mark {
			continue
		}
		if m, err := s.aead.Open(nil, nonce, row.Sealed[sealedHead:], about(row)); err == nil {
			return m, nil
		}
	}
	return nil, fault.New(fault.Internal, "the key file does not open the key %s: its row was changed, or it was sealed by a key that is not in the file any more", row.ID)
}

// MakeFile makes a key file of mode 0600 with one key, complete and on the disk
// or not at all. A file that is there stays as it is, unless another key is to be
// put first; false then. Of several callers at once one makes it.
func MakeFile(path string) (made bool, err error) {
	if _, err := os.Stat(path); err == nil {
		return false, nil
	}
	tmp, err := written(path, newLine())
	if err != nil {
		return false, err
	}
	defer os.Remove(tmp)
	err = os.Link(tmp, path)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, errors.Join(err, syncDirectory(path))
}

// AddKey puts a new key before those of a file: what is sealed from then on, in
// processes that are started anew, is sealed by it. The older ones stay, for what
// they have sealed.
func AddKey(path string) error {
	if _, err := ReadRing(path); err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	tmp, err := written(path, newLine()+string(text))
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	return errors.Join(os.Rename(tmp, path), syncDirectory(path))
}

func newLine() string {
	raw := make([]byte, fileKeyBytes)
	rand.Read(raw)
	return base64.StdEncoding.EncodeToString(raw) + "\n"
}

// written gives a temporary file beside path, mode 0600, with that text on disk.
func written(path, text string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return "", err
	}
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		os.Remove(tmp.Name())
	}
	return tmp.Name(), err
}

func syncDirectory(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
