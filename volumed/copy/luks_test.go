package copy

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/xts"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// passphrase is what Nova makes of a key of 32 bytes.
const passphrase = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func luksTarget(r *rig, version string, bytes int64) Target {
	r.t.Helper()
	if err := errorsOf(os.RemoveAll(r.device), os.WriteFile(r.device, nil, 0o600), os.Truncate(r.device, bytes)); err != nil {
		r.t.Fatal(err)
	}
	return Target{Path: r.device, Bytes: bytes, Blank: true, LUKS: &LUKS{Version: version, Cipher: "aes-xts-plain64", KeyBits: 256, Passphrase: passphrase}}
}

func (r *rig) content(n int) []byte {
	b := make([]byte, n)
	rand.Read(b[:n/2]) // and a hole behind
	copy(b[n-3:], "end")
	return b
}

// opened decrypts the device with what others know of the format: QEMU for LUKS1;
// cryptsetup, which opens the header, for LUKS2.
func (r *rig) opened(version string) []byte {
	r.t.Helper()
	if version == "luks2" {
		return r.openedByCryptsetup()
	}
	plain, secretFile := filepath.Join(r.t.TempDir(), "plain"), filepath.Join(r.t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte(passphrase), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if _, err := run.Output(r.t.Context(), "qemu-img", "convert", "--object", "secret,id=s,file="+secretFile,
		"--image-opts", "driver=luks,key-secret=s,file.driver=file,file.filename="+r.device, "-O", "raw", plain); err != nil {
		r.t.Fatal(err)
	}
	b, err := os.ReadFile(plain)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

var hexByte = regexp.MustCompile(`\b[0-9a-f]{2}\b`)

func (r *rig) openedByCryptsetup() []byte {
	r.t.Helper()
	out, err := run.Command{Args: []string{"cryptsetup", "luksDump", "--batch-mode", "--dump-master-key", "--key-file=-", r.device}, Input: []byte(passphrase)}.Output(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	_, dump, _ := strings.Cut(string(out), "MK dump:")
	volumeKey, err := hex.DecodeString(strings.Join(hexByte.FindAllString(dump, -1), ""))
	if err != nil || len(volumeKey) != 32 {
		r.t.Fatalf("%d bytes: %v", len(volumeKey), err)
	}
	c, err := xts.NewCipher(aes.NewCipher, volumeKey)
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := os.ReadFile(r.device)
	if err != nil {
		r.t.Fatal(err)
	}
	b = b[16<<20:]
	for i := 0; i < len(b); i += 512 {
		c.Decrypt(b[i:i+512], b[i:i+512], uint64(i/512))
	}
	return b
}

func TestEncryptedImage(t *testing.T) {
	r := newRig(t)
	for _, version := range []string{"luks1", "luks2"} {
		for _, size := range []int{3<<20 + 700, 3 << 20, 513, 100} {
			want := r.content(size)
			if err := r.copier.Write(t.Context(), r.image(Raw, want), luksTarget(r, version, 20<<20), func(int64) {}); err != nil {
				t.Fatal(version, size, err)
			}
			got := r.opened(version)
			end := (size + 511) / 512 * 512
			if !bytes.Equal(got[:size], want) || !bytes.Equal(got[size:end], make([]byte, end-size)) {
				t.Errorf("%s: an image of %d bytes is not what is read back", version, size)
			}
			sealed, err := os.ReadFile(r.device)
			if err != nil || bytes.Contains(sealed, want[:32]) || bytes.Contains(sealed, []byte(passphrase)) {
				t.Errorf("%s: the device has the image, or the passphrase, as it is: %v", version, err)
			}
		}
	}
}

// An image of another format is converted before it is encrypted.
func TestEncryptedQCOW2(t *testing.T) {
	r := newRig(t)
	want := r.content(4 << 20)
	raw, qcow2 := filepath.Join(t.TempDir(), "raw"), filepath.Join(t.TempDir(), "qcow2")
	if err := os.WriteFile(raw, want, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Output(t.Context(), "qemu-img", "convert", "-O", "qcow2", raw, qcow2); err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(qcow2)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.copier.Write(t.Context(), r.image(QCOW2, image), luksTarget(r, "luks1", 8<<20), func(int64) {}); err != nil {
		t.Fatal(err)
	}
	if got := r.opened("luks1"); !bytes.Equal(got[:len(want)], want) {
		t.Error("the image is not what is read back")
	}
	left, err := os.ReadDir(r.copier.Directory)
	if err != nil || len(left) != 0 {
		t.Error("scratch files are left", left, err)
	}
	err = r.copier.Write(t.Context(), r.image(QCOW2, image), luksTarget(r, "luks1", 5<<20), func(int64) {})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "behind the header") {
		t.Error(err)
	}
}

func TestEncryptedRefusals(t *testing.T) {
	r := newRig(t)
	small := r.content(1 << 20)
	to := luksTarget(r, "luks1", 3<<20-1)
	for what, c := range map[string]struct {
		change func(*Target, *Image)
		says   string
	}{
		"no room":        {func(*Target, *Image) {}, "has room for 1048575"},
		"cipher":         {func(t *Target, _ *Image) { t.LUKS.Cipher = "serpent-xts-plain64" }, "serpent"},
		"version":        {func(t *Target, _ *Image) { t.LUKS.Version = "plain" }, "plain"},
		"size":           {func(t *Target, _ *Image) { t.LUKS.KeyBits = 128 }, "128 bits"},
		"twice":          {func(_ *Target, i *Image) { i.Encrypted = true }, "once more"},
		"not encrypted":  {func(t *Target, i *Image) { t.LUKS, i.Encrypted = nil, true }, "its bytes are of the format raw, and not luks"},
		"not plain luks": {func(t *Target, i *Image) { t.LUKS, i.DiskFormat, i.Encrypted = nil, "qcow2", true }, "raw is needed"},
	} {
		target, image, l := to, r.image(Raw, small), *to.LUKS
		target.LUKS = &l
		c.change(&target, &image)
		err := r.copier.Write(t.Context(), image, target, func(int64) {})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), passphrase) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The bytes of an encrypted volume are copied as they are.
func TestSealedImage(t *testing.T) {
	r := newRig(t)
	want := r.content(1 << 20)
	if err := r.copier.Write(t.Context(), r.image(Raw, want), luksTarget(r, "luks1", 4<<20), func(int64) {}); err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(r.device)
	if err != nil {
		t.Fatal(err)
	}
	image := r.image(Raw, sealed)
	if err := r.write(image, true); !fault.Is(err, fault.Invalid) {
		t.Errorf("the bytes of an encrypted volume pass for a plain image: %v", err)
	}
	image.Encrypted = true
	r.fresh()
	if err := r.write(image, true); err != nil {
		t.Fatal(err)
	}
	if got := r.opened("luks1"); !bytes.Equal(got[:len(want)], want) {
		t.Error("the copy does not open")
	}
}

// cryptsetup is given no secret as an argument, and writes none into an error.
func TestSecretsAreNoArguments(t *testing.T) {
	t.Parallel()
	l := LUKS{Version: "luks1", Cipher: "aes-xts-plain64", KeyBits: 256, Passphrase: passphrase}
	_, err := l.format(context.WithoutCancel(t.Context()), filepath.Join(t.TempDir(), "none"), 2<<20)
	if err == nil || strings.Contains(err.Error(), passphrase) {
		t.Error(err)
	}
}
