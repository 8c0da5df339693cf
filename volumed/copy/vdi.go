package copy

import "io"

// VirtualBox's header, as QEMU's block/vdi.c describes it.
const (
	vdiMagicAt  = 64
	vdiType     = 76
	vdiDiskSize = 368
	vdiLink     = 424 // UUID of the disk that this one differs from
	vdiParent   = 440
	vdiHeader   = 512

	vdiDynamic, vdiStatic = 1, 2
)

// inspectVDI refuses disks that differ from another.
func inspectVDI(image io.ReaderAt, size int64) (int64, error) {
	h, err := part(image, size, 0, vdiHeader)
	if err != nil {
		return 0, err
	}
	if kind := le.Uint32(h[vdiType:]); kind != vdiDynamic && kind != vdiStatic {
		return 0, unacceptable("it is a VDI of type %d; only dynamic and static ones lie in one file", kind)
	}
	for _, b := range h[vdiLink : vdiParent+16] {
		if b != 0 {
			return 0, unacceptable("it is a VDI with a parent")
		}
	}
	return whole(le.Uint64(h[vdiDiskSize:])), nil
}
