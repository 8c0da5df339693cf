package copy

import (
	"bytes"
	"io"
)

// A VHD's footer (Virtual Hard Disk Image Format Specification 1.0). A dynamic
// one has a copy of it at its beginning, which is what is read.
const (
	vhdCurrentSize = 48
	vhdDiskType    = 60

	vhdFixed, vhdDynamic = 2, 3
)

// inspectVHD refuses differencing disks, which name their parent.
func inspectVHD(image io.ReaderAt, size int64) (int64, error) {
	footer, err := part(image, size, 0, tailBytes)
	if err != nil {
		return 0, err
	}
	wants := uint32(vhdDynamic)
	if !bytes.HasPrefix(footer, []byte("conectix")) {
		wants = vhdFixed
		if footer, err = part(image, size, size-tailBytes, tailBytes); err != nil {
			return 0, err
		}
	}
	if kind := be.Uint32(footer[vhdDiskType:]); kind != wants {
		return 0, unacceptable("it is a VHD of type %d; only fixed and dynamic ones lie in one file", kind)
	}
	return whole(be.Uint64(footer[vhdCurrentSize:])), nil
}
