package copy

import "io"

// Offsets in a qcow2 header and what is there (QEMU's docs/interop/qcow2.txt).
const (
	qcow2Version      = 4
	qcow2BackingAt    = 8
	qcow2BackingSize  = 16
	qcow2ClusterBits  = 20
	qcow2Size         = 24
	qcow2Crypt        = 32
	qcow2Incompatible = 72
	qcow2HeaderLength = 100
	qcow2HeaderV2     = 72
	qcow2HeaderV3     = 104

	qcow2ExternalData = 1 << 2
	// Dirty, corrupt, external data, compression type, extended L2 entries.
	qcow2KnownFeatures = 1<<5 - 1

	extensionEnd          = 0
	extensionBackingFile  = 0xe2792aca // the format of the backing file
	extensionExternalData = 0x44415441 // the name of the data file
	extensionEncryption   = 0x0537be77
)

// inspectQCOW2 refuses backing files (CVE-2015-5162, CVE-2024-4467) and external
// data files (CVE-2024-32498), by their fields, feature bits and extensions.
func inspectQCOW2(image io.ReaderAt, size int64) (int64, error) {
	h, err := part(image, size, 0, qcow2HeaderV3)
	if err != nil {
		return 0, err
	}
	version, length := be.Uint32(h[qcow2Version:]), int64(qcow2HeaderV2)
	if version != 2 && version != 3 {
		return 0, unacceptable("it is of version %d of qcow", version)
	}
	if version == 3 {
		if err := qcow2Features(be.Uint64(h[qcow2Incompatible:])); err != nil {
			return 0, err
		}
		length = int64(be.Uint32(h[qcow2HeaderLength:]))
	}
	bits := be.Uint32(h[qcow2ClusterBits:])
	switch {
	case be.Uint64(h[qcow2BackingAt:]) != 0, be.Uint32(h[qcow2BackingSize:]) != 0:
		return 0, unacceptable("it has a backing file")
	case be.Uint32(h[qcow2Crypt:]) != 0:
		return 0, unacceptable("it is encrypted")
	case bits < 9 || bits > 21:
		return 0, unacceptable("its clusters are of 2^%d bytes", bits)
	case version == 3 && (length < qcow2HeaderV3 || length > 1<<bits):
		return 0, unacceptable("its header says that it is %d bytes long", length)
	}
	return whole(be.Uint64(h[qcow2Size:])), qcow2Extensions(image, size, length, 1<<bits)
}

func qcow2Features(incompatible uint64) error {
	switch {
	case incompatible&qcow2ExternalData != 0:
		return unacceptable("it has an external data file")
	case incompatible&^qcow2KnownFeatures != 0:
		return unacceptable("it has features that are not known: %#x", incompatible&^qcow2KnownFeatures)
	}
	return nil
}

// qcow2Extensions walks through what stands between the header and the end of
// the first cluster.
func qcow2Extensions(image io.ReaderAt, size, at, cluster int64) error {
	area, err := part(image, size, 0, min(cluster, size))
	if err != nil {
		return err
	}
	for at+8 <= int64(len(area)) {
		kind, length := be.Uint32(area[at:]), int64(be.Uint32(area[at+4:]))
		switch kind {
		case extensionEnd:
			return nil
		case extensionBackingFile:
			return unacceptable("it has a backing file")
		case extensionExternalData:
			return unacceptable("it has an external data file")
		case extensionEncryption:
			return unacceptable("it is encrypted")
		}
		if length > int64(len(area))-at-8 {
			return unacceptable("its header's extensions are longer than their cluster")
		}
		at += 8 + (length+7)&^7
	}
	return nil
}
