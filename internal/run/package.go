package run

import "strings"

// packages are Debian's, of the programs that Clinker starts. LVM's own have names
// that begin with lv, vg or pv.
var packages = map[string]string{
	"iscsiadm": "open-iscsi", "cryptsetup": "cryptsetup-bin", "qemu-img": "qemu-utils",
	"thin_delta": "thin-provisioning-tools", "thin_dump": "thin-provisioning-tools", "dmsetup": "dmsetup", "modprobe": "kmod",
}

// remedy says how a program that is missing is installed; "" where that is not known.
func remedy(program string) string {
	name := packages[program]
	if len(program) > 2 && strings.Contains("lv vg pv", program[:2]) {
		name = "lvm2"
	}
	if name == "" {
		return ""
	}
	return ": run apt-get install " + name
}
