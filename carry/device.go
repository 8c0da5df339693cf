package carry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"clinker/internal/fault"
)

// system reads the kernel's view of this machine: /sys, /proc and /dev.
type system struct{ root string }

// session is an iSCSI session as the kernel knows it.
type session struct {
	dir      string // /sys/class/iscsi_session/sessionN
	username string // "" when the kernel does not tell
}

// isStale tells whether the session was made with other credentials than c's.
func (s session) isStale(c Connection) bool { return s.username != "" && s.username != c.Username }

// sessionOf finds the session with the target at the portal.
func (s system) sessionOf(iqn, portal string) (session, bool) {
	names, _ := filepath.Glob(rooted(s.root, "sys/class/iscsi_session/session*/targetname"))
	for _, path := range names {
		dir := filepath.Dir(path)
		if text(path) == iqn && s.isAt(strings.TrimPrefix(filepath.Base(dir), "session"), portal) {
			return session{dir: dir, username: text(filepath.Join(dir, "username"))}, true
		}
	}
	return session{}, false
}

// isAt tells whether the session's connections were made to the portal.
func (s system) isAt(sessionNumber, portal string) bool {
	host, port, err := net.SplitHostPort(portal)
	if err != nil {
		return false
	}
	connections, _ := filepath.Glob(rooted(s.root, "sys/class/iscsi_connection/connection"+sessionNumber+":*"))
	for _, dir := range connections {
		if sameAddress(text(filepath.Join(dir, "persistent_address")), host) && text(filepath.Join(dir, "persistent_port")) == port {
			return true
		}
	}
	return false
}

// sameAddress compares addresses, not their spelling.
func sameAddress(a, b string) bool {
	left, errLeft := netip.ParseAddr(a)
	right, errRight := netip.ParseAddr(b)
	return errLeft == nil && errRight == nil && left == right
}

// diskOf finds the kernel name (sda) of a session's disk; "" while it is not there.
func (s system) diskOf(found session, lun int) string {
	disks, _ := filepath.Glob(filepath.Join(found.dir, "device/target*", "*:"+strconv.Itoa(lun), "block/*"))
	for _, path := range disks {
		name := filepath.Base(path)
		if _, err := os.Stat(s.node(name)); err == nil {
			return name
		}
	}
	return ""
}

// silence tells, in the kernel's words, why nothing of a session's disk can be read or
// written at the moment; "" when it can. The session is FAILED while open-iscsi tries to
// log in again, and after node.session.timeo.replacement_timeout the disk is
// transport-offline. Kernels without these files tell nothing.
func (s system) silence(found session, disk string) string {
	if state := text(filepath.Join(found.dir, "state")); state != "" && state != "LOGGED_IN" {
		return "the session is " + state
	}
	if state := text(rooted(s.root, "sys/class/block/"+disk+"/device/state")); state != "" && state != "running" {
		return "the disk is " + state
	}
	return ""
}

// node is the device's path in this root.
func (s system) node(disk string) string { return rooted(s.root, "dev/"+disk) }

// sizeOf is the size in bytes; sysfs counts in units of 512 whatever the sector.
func (s system) sizeOf(disk string) (int64, error) {
	path := rooted(s.root, "sys/class/block/"+disk+"/size")
	sectors, err := strconv.ParseInt(text(path), 10, 54)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return sectors * 512, nil
}

// serialOf reads the unit serial number, which Clinker's targets set to the
// volume's id (SCSI vital product data, page 0x80).
func (s system) serialOf(disk string) (string, error) {
	page, err := os.ReadFile(rooted(s.root, "sys/class/block/"+disk+"/device/vpd_pg80"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Wrap(err, fault.Conflict, "the disk /dev/%s has no serial number", disk)
	}
	if err != nil {
		return "", err
	}
	return parseSerial(page), nil
}

// parseSerial reads page 0x80 (SPC-4 §7.8.17): two bytes of header, the length
// in two, the serial, which targets pad with blanks or zero bytes.
func parseSerial(page []byte) string {
	if len(page) < 4 || page[1] != 0x80 {
		return ""
	}
	length := int(binary.BigEndian.Uint16(page[2:4]))
	return strings.Trim(string(page[4:min(4+length, len(page))]), " \x00\n")
}

// isSerialOf tells whether the serial is the volume's id. Some targets keep
// fewer than the id's 36 characters.
func isSerialOf(serial, volumeID string) bool {
	return serial == volumeID || len(serial) >= 32 && strings.HasPrefix(volumeID, serial)
}

// stablePath is the name that udev gives the disk, the same after every
// login; the kernel's name where there is no udev or it has not come to it; of what
// multipath made of it the name under /dev/mapper. Udev writes IPv6 addresses without
// brackets.
func (s system) stablePath(disk string, c Connection) string {
	if s.mapperNameOf(disk) != "" {
		return s.shown(disk)
	}
	path := "/dev/disk/by-path/ip-" + strings.NewReplacer("[", "", "]", "").Replace(c.Portal) + "-iscsi-" + c.IQN + "-lun-" + strconv.Itoa(c.LUN)
	if to, err := os.Readlink(rooted(s.root, path)); err == nil && filepath.Base(to) == disk {
		return path
	}
	return "/dev/" + disk
}

// hasUdev tells whether names under /dev/disk will appear.
func (s system) hasUdev() bool {
	_, err := os.Stat(rooted(s.root, "run/udev/control"))
	return err == nil
}

// text is a small file's content, trimmed; "" when it cannot be read.
func text(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}
