package copy

import (
	"bytes"
	"io"
	"regexp"
	"strings"
)

// VMware's sparse extent header (Virtual Disk Format 5.0), in sectors of 512
// bytes where it counts sectors.
const (
	vmdkCapacity       = 12
	vmdkDescriptorAt   = 28
	vmdkDescriptorSize = 36
	vmdkHeader         = 79

	// vmdkReadByQEMU is where QEMU looks for a parent's name, and how far,
	// whatever the header says.
	vmdkReadByQEMU = 512
	vmdkReadBytes  = 20 * 512

	maxDescriptor = 1 << 20 // bytes
)

// vmdkTypes are the kinds that lie in one file (Cinder's vmdk_allowed_types).
var vmdkTypes = []string{"monolithicsparse", "streamoptimized"}

var (
	vmdkCreateType = regexp.MustCompile(`(?im)^\s*createType\s*=\s*"?([a-z0-9]*)"?\s*$`)
	vmdkExtent     = regexp.MustCompile(`(?im)^\s*(rw|rdonly|noaccess)\s+([0-9]+)\s+([a-z0-9]+)(?:\s+"([^"]*)")?(.*)$`)
	vmdkParent     = regexp.MustCompile(`(?i)parentFileNameHint`)
	vmdkParentCID  = regexp.MustCompile(`(?im)^\s*parentCID\s*=\s*"?([0-9a-f]*)"?\s*$`)
)

// inspectVMDK lets only images through that lie in one file and say so
// (CVE-2022-47951): a descriptor that stands alone names others, and so does one
// that QEMU reads because the header has no capacity.
func inspectVMDK(image io.ReaderAt, size int64) (int64, error) {
	h, err := part(image, size, 0, vmdkHeader)
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(h, []byte("KDMV")) {
		return 0, unacceptable("it is a VMDK that lies in several files, or of an old version")
	}
	sectors := whole(le.Uint64(h[vmdkCapacity:]))
	if sectors == 0 {
		return 0, unacceptable("it is a VMDK whose header has no capacity")
	}
	at, length := whole(le.Uint64(h[vmdkDescriptorAt:])), whole(le.Uint64(h[vmdkDescriptorSize:]))
	if at == 0 || length == 0 || at > size/512 || length > maxDescriptor/512 {
		return 0, unacceptable("it is a VMDK without a descriptor")
	}
	descriptor, err := part(image, size, at*512, length*512)
	if err != nil {
		return 0, err
	}
	if err := checkDescriptor(text(descriptor)); err != nil {
		return 0, err
	}
	readToo, err := part(image, size, min(vmdkReadByQEMU, size), min(vmdkReadBytes, size-min(vmdkReadByQEMU, size)))
	if err != nil {
		return 0, err
	}
	if vmdkParent.Match(readToo) {
		return 0, unacceptable("it is a VMDK with a parent")
	}
	return min(sectors, 1<<53) * 512, nil
}

// text is what stands before the descriptor's padding.
func text(descriptor []byte) string {
	before, _, _ := bytes.Cut(descriptor, []byte{0})
	return strings.ReplaceAll(string(before), "\r", "\n")
}

// checkDescriptor wants one extent, in this very file, and no parent.
func checkDescriptor(descriptor string) error {
	kind := vmdkCreateType.FindAllStringSubmatch(descriptor, -1)
	if len(kind) != 1 || !allowedType(kind[0][1]) {
		return unacceptable("it is a VMDK of a type that may lie in several files")
	}
	if vmdkParent.MatchString(descriptor) {
		return unacceptable("it is a VMDK with a parent")
	}
	for _, parent := range vmdkParentCID.FindAllStringSubmatch(descriptor, -1) {
		if !strings.EqualFold(parent[1], "ffffffff") {
			return unacceptable("it is a VMDK with a parent")
		}
	}
	extents := vmdkExtent.FindAllStringSubmatch(descriptor, -1)
	if len(extents) != 1 {
		return unacceptable("it is a VMDK of %d extents; it must have one", len(extents))
	}
	if e := extents[0]; !strings.EqualFold(e[3], "sparse") || strings.ContainsAny(e[4], `/\`) {
		return unacceptable("it is a VMDK whose extent lies in another file")
	}
	return nil
}

func allowedType(kind string) bool {
	for _, t := range vmdkTypes {
		if strings.EqualFold(kind, t) {
			return true
		}
	}
	return false
}
