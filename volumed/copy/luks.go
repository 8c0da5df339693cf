package copy

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"strconv"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/internal/run"
)

// LUKS is how a volume is encrypted: with a header in front (LUKS1 or LUKS2
// on-disk format) that a passphrase opens.
type LUKS struct {
	Version    string // luks1 or luks2
	Cipher     string // aes-xts-plain64
	KeyBits    int    // of the volume's key; half of it for either key of XTS
	Passphrase Token
}

// sectorBytes is what is encrypted at once.
const sectorBytes = 512

// headerBytes is how much the header takes, as cryptsetup lays it out by default.
var headerBytes = map[string]int64{"luks1": 2 << 20, "luks2": 16 << 20}

// header gives its length; Unsupported when a volume cannot be encrypted so.
func (l LUKS) header() (int64, error) {
	bytes, known := headerBytes[l.Version]
	if !known || l.Cipher != "aes-xts-plain64" || l.KeyBits != 256 && l.KeyBits != 512 {
		return 0, fault.New(fault.Invalid, "images cannot be encrypted with %s, %s and keys of %d bits; luks1 and luks2 with aes-xts-plain64 and 256 or 512 bits can", l.Version, l.Cipher, l.KeyBits)
	}
	return bytes, nil
}

// iterations is how much work a guess at the passphrase is. It is a random key in
// hex, at which nobody guesses, so that cryptsetup's seconds of work for each
// opening would protect nothing.
const iterations = 100_000

// format has cryptsetup write a header onto a device or file, and gives the
// volume's key, which it holds. Neither secret is an argument.
func (l LUKS) format(ctx context.Context, path string, header int64) (volumeKey []byte, err error) {
	volumeKey = make([]byte, l.KeyBits/8)
	rand.Read(volumeKey)
	args := []string{"cryptsetup", "--batch-mode", "luksFormat", "--type", l.Version, "--cipher", l.Cipher, "--key-size", strconv.Itoa(l.KeyBits),
		"--hash", "sha256", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", strconv.Itoa(iterations),
		"--offset", strconv.FormatInt(header/sectorBytes, 10), "--key-file=-", "--master-key-file", run.SecretFile}
	if l.Version == "luks2" {
		args = append(args, "--sector-size", strconv.Itoa(sectorBytes))
	}
	_, err = run.Command{Args: append(args, path), Input: []byte(l.Passphrase), Secret: volumeKey, EndsWithUs: true}.Output(ctx)
	if fault.Is(err, fault.Unavailable) {
		err = fault.Wrap(err, fault.Unsupported, "this storage node cannot encrypt images: cryptsetup is not installed there")
	}
	return volumeKey, err
}

// writeEncrypted is Write for a target that is to be encrypted: the bytes come
// behind the header, each one of them, for a hole would not read as zeroes. It
// gives how much of the target it has written.
func (c *Copier) writeEncrypted(ctx context.Context, image Image, format Format, to Target, progress func(int64)) (int64, error) {
	header, err := to.LUKS.header()
	if err != nil {
		return 0, err
	}
	room := to.Bytes - header
	if format == Raw || format == ISO {
		if image.SizeBytes > room {
			return 0, noRoom(image.SizeBytes, room)
		}
		return sealInto(ctx, to, header, func(w io.Writer) error { return c.receive(ctx, image, format, w, progress) })
	}
	scratch, virtual, err := c.fetched(ctx, image, format, progress)
	if err != nil {
		return 0, err
	}
	defer discard(scratch)
	if virtual > room {
		return 0, noRoom(virtual, room)
	}
	plain, err := c.plain(ctx, format, scratch, virtual)
	if err != nil {
		return 0, err
	}
	defer discard(plain)
	return sealInto(ctx, to, header, func(w io.Writer) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{&spender{ctx, plain}}, make([]byte, pieceBytes))
		return err
	})
}

// noRoom says why an image does not fit that would without the header.
func noRoom(virtual, room int64) error {
	return unacceptable("it has %d bytes, and behind the header of its encryption the volume has room for %d", virtual, max(room, 0))
}

// plain converts a scratch file into another one, of plain bytes.
func (c *Copier) plain(ctx context.Context, format Format, scratch *os.File, virtual int64) (*os.File, error) {
	plain, err := c.scratch()
	if err != nil {
		return nil, err
	}
	err = plain.Truncate(virtual)
	if err == nil {
		err = c.convert(ctx, format, scratch.Name(), Target{Path: plain.Name(), Bytes: virtual, Blank: true}, virtual)
	}
	if err != nil {
		discard(plain)
		return nil, err
	}
	return plain, nil
}

// spender reads as fast as the node's budget allows.
type spender struct {
	ctx  context.Context
	from io.Reader
}

func (s *spender) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if late := pace.Spend(s.ctx, int64(n)); late != nil {
		return n, late
	}
	return n, err
}

// sealInto writes the header, and behind it what fill writes.
func sealInto(ctx context.Context, to Target, header int64, fill func(io.Writer) error) (int64, error) {
	volumeKey, err := to.LUKS.format(ctx, to.Path, header)
	if err != nil {
		return 0, err
	}
	device, err := os.OpenFile(to.Path, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer device.Close()
	w, err := newSealer(device, header, volumeKey)
	if err != nil {
		return 0, err
	}
	if err := fill(w); err != nil {
		return 0, err
	}
	if err := w.finish(); err != nil {
		return 0, ended(ctx, err)
	}
	return w.at, device.Close()
}
