package copy

import (
	"context"
	"io"
	"net/http"
	"os"
	"time"

	"clinker/internal/direct"
	"clinker/internal/fault"
)

// Options of a Copier.
type Options struct {
	// Directory holds images while they are being looked at
	// (image_conversion_dir). It is made with mode 0700; what an earlier process of
	// this Node left in it is taken away.
	Directory string
	Node      string // whose; others on this machine may have the same Directory
	TLS       TLS
	// CPULimit and AddressSpaceBytes bound qemu-img (image_conversion_cpu_limit,
	// image_conversion_address_space_limit).
	CPULimit          time.Duration
	AddressSpaceBytes int64
	// Patience is how long an image service may give no bytes; 1 min.
	Patience time.Duration
}

// Copier fetches images and writes them onto volumes. It may be used by many
// goroutines at once.
type Copier struct {
	Options
	client  *http.Client
	uploads *http.Client // waits longer for an answer
}

// The defaults, Cinder's.
const (
	defaultCPU          = time.Minute
	defaultAddressSpace = 1 << 30
	defaultPatience     = time.Minute
)

// storeTime is how long an image service may take to answer when it has got all
// of an image's bytes: its store may be at work yet.
const storeTime = 15 * time.Minute

// New makes the directory and empties it of what is the package's own. Invalid
// when the options cannot be right.
func New(o Options) (*Copier, error) {
	if o.CPULimit <= 0 {
		o.CPULimit = defaultCPU
	}
	if o.AddressSpaceBytes <= 0 {
		o.AddressSpaceBytes = defaultAddressSpace
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	client, err := o.TLS.client(time.Minute)
	if err != nil {
		return nil, err
	}
	uploads, err := o.TLS.client(storeTime)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Directory, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "image_conversion_dir cannot be made")
	}
	return &Copier{Options: o, client: client, uploads: uploads}, o.sweep()
}

// Target is what an image is written onto.
type Target struct {
	Path  string // of a block device or file
	Bytes int64  // of the volume
	Blank bool   // it reads as zeroes, which need not be written then
	Whole bool   // what lies behind the image's end must read as zeroes too
	LUKS  *LUKS  // how it is to be encrypted; nil for not
}

// Write brings an image's bytes onto a volume's device or file. progress is told
// how many of the image's bytes have been fetched. Invalid when the image is not
// what it is said to be, or names other files, or is too large; Unavailable when
// its bytes cannot be had at the moment; NoSpace. After an error the target must
// be given up, or written to anew.
func (c *Copier) Write(ctx context.Context, image Image, to Target, progress func(done int64)) error {
	format, err := image.check()
	if err != nil {
		return err
	}
	virtual := image.SizeBytes
	switch {
	case to.LUKS != nil && format == SealedRaw:
		err = unacceptable("it holds an encrypted volume, and would be encrypted once more")
	case to.LUKS != nil:
		virtual, err = c.writeEncrypted(ctx, image, format, to, progress)
	case format == Raw || format == ISO || format == SealedRaw:
		err = c.writeRaw(ctx, image, format, to, progress)
	default:
		virtual, err = c.writeConverted(ctx, image, format, to, progress)
	}
	if err == nil && to.Whole && !to.Blank {
		err = Blank(ctx, to.Path, virtual, to.Bytes)
	}
	return err
}

// writeConverted brings an image of another format than raw onto the target, and
// gives its virtual size.
func (c *Copier) writeConverted(ctx context.Context, image Image, format Format, to Target, progress func(int64)) (virtual int64, err error) {
	scratch, virtual, err := c.fetched(ctx, image, format, progress)
	if err != nil {
		return 0, err
	}
	defer discard(scratch)
	if virtual > to.Bytes {
		return 0, tooLarge(virtual, to.Bytes)
	}
	return virtual, c.convert(ctx, format, scratch.Name(), to, virtual)
}

// fetched gives a scratch file with the image, of which it tells the virtual size.
func (c *Copier) fetched(ctx context.Context, image Image, format Format, progress func(int64)) (scratch *os.File, virtual int64, err error) {
	if scratch, err = c.scratch(); err != nil {
		return nil, 0, err
	}
	// No *os.File, so that the disk is not asked to begin: what is read once and
	// deleted may never need it.
	err = c.receive(ctx, image, format, &sparse{to: struct{ io.WriterAt }{scratch}, blank: true}, progress)
	if err == nil {
		err = scratch.Truncate(image.SizeBytes) // it may end in a hole
	}
	if err == nil {
		err = inspect(format, scratch, image.SizeBytes)
	}
	if err == nil {
		virtual, err = c.measured(ctx, format, scratch.Name())
	}
	if err != nil {
		discard(scratch)
		return nil, 0, err
	}
	return scratch, virtual, nil
}

// writeRaw needs no scratch file: nothing looks at the bytes but the tenant.
func (c *Copier) writeRaw(ctx context.Context, image Image, format Format, to Target, progress func(int64)) error {
	if image.SizeBytes > to.Bytes {
		return tooLarge(image.SizeBytes, to.Bytes)
	}
	device, err := direct.OpenSized(to.Path, os.O_WRONLY, image.SizeBytes)
	if err != nil {
		return err
	}
	defer device.Close()
	if err := c.receive(ctx, image, format, &sparse{to: device, blank: to.Blank}, progress); err != nil {
		return err
	}
	return device.Close()
}

func tooLarge(virtual, bytes int64) error {
	gib := func(n int64) int64 { return (n + 1<<30 - 1) >> 30 }
	return unacceptable("its virtual size is %dGB and it does not fit into a volume of %dGB", gib(virtual), gib(bytes))
}
