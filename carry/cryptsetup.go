package carry

import (
	"context"
	"errors"
	"strconv"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// Crypt opens and closes encrypted disks. Every method may be repeated.
type Crypt interface {
	// Format writes a LUKS header onto a disk; what it holds is lost.
	Format(ctx context.Context, device string, e Encryption, passphrase secret) error
	// Open makes the disk's plain bytes a device of that name under /dev/mapper.
	// Unauthorized when the passphrase does not open it.
	Open(ctx context.Context, device, name string, passphrase secret, readOnly bool) error
	// Resize makes the open device as large as its disk is now.
	Resize(ctx context.Context, name string, passphrase secret) error
	// Close takes the device away; no error when there is none. Busy while it is used.
	Close(ctx context.Context, name string) error
}

// Cryptsetup is dm-crypt's own program. Passphrases go over its standard input.
type Cryptsetup struct{}

// The exit statuses of cryptsetup(8).
const (
	cryptNoPermission = 2
	cryptNoDevice     = 4
	cryptBusy         = 5
)

// Format implements Crypt, with the arguments that os-brick gives.
func (Cryptsetup) Format(ctx context.Context, device string, e Encryption, passphrase secret) error {
	args := []string{"cryptsetup", "--batch-mode", "luksFormat", "--type", e.format(), "--key-file=-"}
	if e.Cipher != "" {
		args = append(args, "--cipher", e.Cipher)
	}
	if e.KeyBits > 0 {
		args = append(args, "--key-size", strconv.Itoa(e.KeyBits))
	}
	// One that went on alone would be in the way of the next.
	return cryptsetup(ctx, run.Command{Args: append(args, device), Input: []byte(passphrase), EndsWithUs: true})
}

// Open implements Crypt.
func (Cryptsetup) Open(ctx context.Context, device, name string, passphrase secret, readOnly bool) error {
	args := []string{"cryptsetup", "luksOpen", "--key-file=-"}
	if readOnly {
		args = append(args, "--readonly")
	}
	return cryptsetup(ctx, run.Command{Args: append(args, device, name), Input: []byte(passphrase)})
}

// Resize implements Crypt.
func (Cryptsetup) Resize(ctx context.Context, name string, passphrase secret) error {
	return cryptsetup(ctx, run.Command{Args: []string{"cryptsetup", "resize", "--key-file=-", name}, Input: []byte(passphrase)})
}

// Close implements Crypt.
func (Cryptsetup) Close(ctx context.Context, name string) error {
	return cryptsetup(ctx, run.Command{Args: []string{"cryptsetup", "luksClose", name}})
}

func cryptsetup(ctx context.Context, c run.Command) error {
	_, err := c.Output(ctx)
	var exit *run.ExitError
	switch {
	case fault.Is(err, fault.Unavailable):
		return fault.Wrap(err, fault.Unsupported, "the volume is encrypted, and cryptsetup is not installed here")
	case !errors.As(err, &exit):
		return err
	case exit.Status == cryptNoDevice && c.Args[1] == "luksClose":
		return nil
	case exit.Status == cryptNoPermission:
		return fault.Wrap(err, fault.Unauthorized, "the volume's key does not open it")
	case exit.Status == cryptBusy:
		return fault.Wrap(err, fault.Busy, "the decrypted device is in use")
	}
	return fault.Wrap(err, fault.Internal, "cryptsetup failed")
}
