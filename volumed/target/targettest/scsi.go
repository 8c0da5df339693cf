package targettest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sgIO is struct sg_io_hdr of linux's scsi/sg.h, on a 64-bit machine.
type sgIO struct {
	interfaceID, direction             int32
	commandBytes, maxSense             uint8
	iovecs                             uint16
	bytes                              uint32
	data, command, sense               unsafe.Pointer
	timeoutMS, flags                   uint32
	packID                             int32
	user                               unsafe.Pointer
	status, masked, messages, gotSense uint8
	hostStatus, driverStatus           uint16
	residual                           int32
	durationMS, info                   uint32
}

const (
	sgIOCommand = 0x2285 // SG_IO
	toDevice    = -2     // SG_DXFER_TO_DEV
)

// scsiWrite sends WRITE(10) for one block of 512 bytes to the disk. It asks
// neither the block layer nor the disk driver, which refuse to write what the
// target says is read-only. (SBC-3 §5.32; root only.)
func scsiWrite(disk *os.File, block int64, fill byte) error {
	command := [10]byte{0: 0x2a, 8: 1}
	binary.BigEndian.PutUint32(command[2:], uint32(block))
	data, sense := bytes.Repeat([]byte{fill}, 512), make([]byte, 32)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&command[0])
	pin.Pin(&data[0])
	pin.Pin(&sense[0])
	header := sgIO{interfaceID: 'S', direction: toDevice, commandBytes: 10, maxSense: 32, bytes: 512,
		data: unsafe.Pointer(&data[0]), command: unsafe.Pointer(&command[0]), sense: unsafe.Pointer(&sense[0]), timeoutMS: 10000}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), sgIOCommand, uintptr(unsafe.Pointer(&header)))
	if errno != 0 {
		return errno
	}
	if header.status != 0 || header.hostStatus != 0 || header.driverStatus != 0 {
		return fmt.Errorf("WRITE(10): status %#x, sense key %#x", header.status, sense[2]&0xf)
	}
	return nil
}
