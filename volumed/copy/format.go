package copy

import (
	"bytes"
	"encoding/binary"
	"io"

	"clinker/internal/fault"
)

// Format is a disk image's, in Glance's words (disk_format).
type Format string

// The formats that images may have.
const (
	Raw   Format = "raw"
	ISO   Format = "iso"
	QCOW2 Format = "qcow2"
	VMDK  Format = "vmdk"
	VHD   Format = "vhd"
	VHDX  Format = "vhdx"
	VDI   Format = "vdi"

	// SealedRaw is the plain bytes of an encrypted volume; Glance says raw.
	SealedRaw Format = "luks"
	Ploop     Format = "ploop" // written only
)

// headBytes is how much of an image's beginning tells its format, save a fixed
// VHD, which its last tailBytes do. An ISO 9660 file system has its volume
// descriptor in sector 16 of 2048 bytes (ECMA-119, 8.1).
const (
	headBytes = 36 << 10
	tailBytes = 512
	isoAt     = 16*2048 + 1
)

// claimed gives the format behind a disk_format. Kernels and machine images of
// Amazon's are plain bytes.
func claimed(diskFormat string) (Format, error) {
	switch f := Format(diskFormat); f {
	case Raw, ISO, QCOW2, VMDK, VHD, VHDX, VDI:
		return f, nil
	case "ami", "ari", "aki":
		return Raw, nil
	}
	return "", fault.New(fault.Invalid, "volumes cannot be made from images of the disk format %q", diskFormat)
}

// signature is what a format's files have at an offset.
type signature struct {
	at     int
	text   string
	format Format // "" for one that is not supported
}

var signatures = []signature{
	{0, "QFI\xfb", QCOW2},
	{0, "KDMV", VMDK},
	{0, "COWD", VMDK},
	{0, "# Disk DescriptorFile", VMDK},
	{0, "vhdxfile", VHDX},
	{0, "conectix", VHD},
	{0, "QED\x00", ""},
	{0, "WithoutFreeSpace", ""}, // Parallels
	{0, "WithouFreSpacExt", ""},
	{0, "OOOM\x00\x00\x00\x02", ""}, // User Mode Linux's
	{0, "LUKS\xba\xbe", SealedRaw},  // LUKS1 and LUKS2
	{vdiMagicAt, "\x7f\x10\xda\xbe", VDI},
	{isoAt, "CD001", ISO},
}

// detect finds the format from the image's first bytes, headBytes of them or
// all there are; "" when it is one that is not supported. What has no signature
// is raw.
func detect(head []byte) Format {
	for _, s := range signatures {
		if len(head) > s.at && bytes.HasPrefix(head[s.at:], []byte(s.text)) {
			return s.format
		}
	}
	return Raw
}

// fixedVHD tells whether the last bytes are the footer of a fixed VHD, which has
// no header.
func fixedVHD(tail []byte) bool { return bytes.HasPrefix(tail, []byte("conectix")) }

// match refuses an image whose bytes are of another format than was said. A raw
// image may hold a CD's file system: its bytes are copied as they are.
func match(claim Format, head, tail []byte) error {
	found := detect(head)
	if found == Raw && len(tail) == tailBytes && fixedVHD(tail) {
		found = VHD
	}
	switch {
	case found == claim, claim == Raw && found == ISO:
		return nil
	case found == "":
		return unacceptable("it is of a format that is not supported, and not %s as the image service says", claim)
	}
	return unacceptable("its bytes are of the format %s, and not %s as the image service says", found, claim)
}

// inspectors read the headers of an image of their format, whose file has size bytes,
// and give the virtual size in bytes that they name. qemu-img may count another one.
var inspectors = map[Format]func(image io.ReaderAt, size int64) (virtual int64, err error){
	QCOW2: inspectQCOW2,
	VMDK:  inspectVMDK,
	VHD:   inspectVHD,
	VHDX:  inspectVHDX,
	VDI:   inspectVDI,
}

// inspect looks at what an image's headers say; plain bytes have none. Invalid when the
// image is not whole, or would have a program open another file than itself. size is the
// file's, in bytes.
func inspect(f Format, image io.ReaderAt, size int64) error {
	read, has := inspectors[f]
	if !has {
		return nil
	}
	virtual, err := read(image, size)
	if err != nil {
		return err
	}
	return bounded(virtual)
}

// bounded refuses a virtual size, in bytes, that cannot be meant.
func bounded(virtual int64) error {
	if virtual <= 0 || virtual > maxVirtual {
		return unacceptable("its header gives it a size of %d bytes", virtual)
	}
	return nil
}

// maxVirtual bounds what a header may say, in bytes: 1 PiB.
const maxVirtual = 1 << 50

// unacceptable is what is said of a bad image.
func unacceptable(format string, args ...any) error {
	return fault.New(fault.Invalid, "the image is unacceptable: "+format, args...)
}

// part reads a piece of an image; Invalid when the image ends before it does.
func part(image io.ReaderAt, size, at, length int64) ([]byte, error) {
	if at < 0 || length < 0 || at > size || length > size-at {
		return nil, unacceptable("it is cut short, or its header points beyond its end")
	}
	b := make([]byte, length)
	if n, err := image.ReadAt(b, at); n < len(b) {
		return nil, err
	}
	return b, nil
}

// Shorthands for numbers in headers.
var (
	be = binary.BigEndian
	le = binary.LittleEndian
)

// whole makes a signed number of what a header says; one that does not fit is
// beyond every bound.
func whole(n uint64) int64 { return int64(min(n, 1<<62)) }
