package copy

import (
	"bytes"
	"io"
)

// The layout of a VHDX (MS-VHDX 2.2): two copies of a region table, one entry of
// which leads to the metadata.
const (
	vhdxRegions    = 192 << 10
	vhdxRegions2   = 256 << 10
	vhdxTable      = 64 << 10 // bytes of either kind of table
	vhdxEntry      = 32
	vhdxMaxEntries = 2047

	vhdxHasParent = 1 << 1
)

// GUIDs as they lie in the file.
var (
	vhdxMetadata       = []byte("\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e")
	vhdxFileParameters = []byte("\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b")
	vhdxVirtualSize    = []byte("\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8")
	vhdxParentLocator  = []byte("\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c")
)

// inspectVHDX refuses differencing disks, whose parent locator names a file. The
// two region tables must agree about where the metadata are, so that no program
// reads others than these.
func inspectVHDX(image io.ReaderAt, size int64) (int64, error) {
	at, err := vhdxRegion(image, size, vhdxRegions)
	if err != nil {
		return 0, err
	}
	if second, err := vhdxRegion(image, size, vhdxRegions2); err != nil || second != at {
		return 0, unacceptable("it is a VHDX whose two region tables differ")
	}
	table, err := part(image, size, at, vhdxTable)
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(table, []byte("metadata")) {
		return 0, unacceptable("it is a VHDX without metadata")
	}
	return vhdxItems(image, size, at, table, int(le.Uint16(table[10:])))
}

// vhdxRegion gives the offset of the metadata by one of the region tables.
func vhdxRegion(image io.ReaderAt, size, table int64) (int64, error) {
	b, err := part(image, size, table, vhdxTable)
	if err != nil {
		return 0, err
	}
	count := le.Uint32(b[8:])
	if !bytes.HasPrefix(b, []byte("regi")) || count > vhdxMaxEntries {
		return 0, unacceptable("it is a VHDX without a region table")
	}
	found := int64(0)
	for i := range int(count) {
		entry := b[16+i*vhdxEntry:][:vhdxEntry]
		if !bytes.HasPrefix(entry, vhdxMetadata) {
			continue
		}
		if found != 0 {
			return 0, unacceptable("it is a VHDX with two regions of metadata")
		}
		found = whole(le.Uint64(entry[16:]))
	}
	if found == 0 {
		return 0, unacceptable("it is a VHDX without metadata")
	}
	return found, nil
}

// vhdxItems looks through the metadata's table.
func vhdxItems(image io.ReaderAt, size, region int64, table []byte, count int) (virtual int64, err error) {
	if count > vhdxMaxEntries {
		return 0, unacceptable("it is a VHDX with %d metadata", count)
	}
	for i := range count {
		entry := table[32+i*vhdxEntry:][:vhdxEntry]
		value := func() ([]byte, error) { return part(image, size, region+int64(le.Uint32(entry[16:])), 8) }
		switch {
		case bytes.HasPrefix(entry, vhdxParentLocator):
			return 0, unacceptable("it is a VHDX with a parent")
		case bytes.HasPrefix(entry, vhdxFileParameters):
			b, err := value()
			if err != nil {
				return 0, err
			}
			if le.Uint32(b[4:])&vhdxHasParent != 0 {
				return 0, unacceptable("it is a VHDX with a parent")
			}
		case bytes.HasPrefix(entry, vhdxVirtualSize):
			b, err := value()
			if err != nil {
				return 0, err
			}
			virtual = whole(le.Uint64(b))
		}
	}
	return virtual, nil
}
