package machine

import (
	"context"
	"fmt"

	"clinker/testbed/guest"
)

// Bash is the command line for a script that stops at its first failure.
func Bash(script string) []string { return []string{"bash", "-euo", "pipefail", "-c", script} }

// Script runs a shell script in the guest as Bash does and returns its
// standard output. An *run.ExitError has the end of what it said on stderr.
func (m *Machine) Script(ctx context.Context, script string) ([]byte, error) {
	return m.Exec(ctx, Bash(script)...)
}

// MakeVG makes the volume group vg0 of the disk "data"; one that is there stays.
func (m *Machine) MakeVG(ctx context.Context) error {
	_, err := m.Script(ctx, "vgs "+guest.VolumeGroup+" >/dev/null 2>&1 || vgcreate -y "+guest.VolumeGroup+" "+guest.DataDisk)
	return err
}

// Mount mounts a disk with an ext4 file system, which it makes on one that is
// empty: a place for files that a power cut must not take, such as a journal.
func (m *Machine) Mount(ctx context.Context, serial, dir string) error {
	_, err := m.Script(ctx, fmt.Sprintf(`
		disk=$(readlink -f '/dev/tb/%s')
		[ -n "$(blkid "$disk")" ] || mkfs.ext4 -q "$disk"
		mkdir -p '%s'
		mount "$disk" '%s'`, serial, dir, dir))
	return err
}

// LoadTarget loads LIO with its iSCSI fabric, as a storage node has it.
func (m *Machine) LoadTarget(ctx context.Context) error {
	_, err := m.Exec(ctx, "modprobe", "-a", "target_core_mod", "target_core_iblock", "target_core_file", "iscsi_target_mod")
	return err
}

// StartInitiator makes the guest an iSCSI initiator of that name, once per boot:
// modules and name must be there before iscsid is, or its logins fail.
func (m *Machine) StartInitiator(ctx context.Context, iqn string) error {
	if _, err := m.Exec(ctx, "modprobe", "-a", "iscsi_tcp", "sd_mod", "sg"); err != nil {
		return err
	}
	name := Command{
		Args:  []string{"sh", "-c", "cat >/etc/iscsi/initiatorname.iscsi"},
		Input: []byte("InitiatorName=" + iqn + "\n"),
	}
	if _, err := m.Output(ctx, name); err != nil {
		return err
	}
	_, err := m.Exec(ctx, "iscsid")
	return err
}
