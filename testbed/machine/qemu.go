package machine

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// qemu is the program; Debian's package qemu-system-x86 has it.
const qemu = "/usr/bin/qemu-system-x86_64"

// launch starts QEMU for one life of the machine.
func (m *Machine) launch(ctx context.Context) (*process, error) {
	cmd := exec.Command(qemu, m.arguments()...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.Dir = m.dir
	if m.options.Storage != nil {
		cmd.ExtraFiles = []*os.File{m.options.Storage.guest} // descriptor 3
	}
	cmd.Stdout, cmd.Stderr = m.console, m.console
	if m.options.Terminal {
		cmd.Stdin, cmd.Stdout = os.Stdin, io.MultiWriter(os.Stdout, m.console)
	}
	p, err := start(ctx, cmd, m.options.Lifetime, m.options.Terminal)
	if err != nil {
		return nil, fmt.Errorf("%w; testbed/install.sh installs what the testbed needs", err)
	}
	return p, nil
}

// arguments are QEMU's. Measured choices: one processor, since a second one
// does not help an emulated machine and costs another its own; qemu64, since
// `max` has 5-level page tables, slow to emulate; q35, since microvm once lost
// its console. A panic ends QEMU (panic=-1 and -no-reboot).
func (m *Machine) arguments() []string {
	o := m.options
	// no_timer_check: the kernel's test of its timer counts ticks, and panics when
	// a busy host lets the emulated CPU fall behind. mitigations=off: an emulated
	// processor leaks nothing, and what guards a real one takes a sixth of its time.
	// norandmaps: QEMU translates a program's code anew for each address it runs at;
	// an LVM command takes 120 ms where it always runs at the same, and else 300.
	kernel := "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off norandmaps tb.name=" + o.Name
	if o.Storage != nil {
		kernel += " tb.storage=" + o.Storage.Prefix.String()
	}
	if o.Terminal {
		kernel += " tb.shell"
	}
	args := []string{
		"-name", o.Name, "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "qemu64",
		"-smp", "1", "-m", fmt.Sprint(o.MemoryMiB),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty",
		"-kernel", m.image.Kernel, "-initrd", m.image.Initrd, "-append", kernel,
		"-fw_cfg", "name=opt/clinker/token,file=" + m.tokenPath(),
		"-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
	}
	for i, disk := range o.Disks {
		args = append(args,
			"-drive", fmt.Sprintf("file=%s,format=raw,if=none,id=d%d,cache=writeback,discard=unmap", m.diskPath(disk), i),
			"-device", fmt.Sprintf("virtio-blk-pci,drive=d%d,serial=%s", i, disk.Serial))
	}
	return append(args, m.networkArguments()...)
}

// networkArguments gives the NICs the MAC prefixes by which /init names them.
func (m *Machine) networkArguments() []string {
	user := "user,id=control"
	for guest, host := range m.ports {
		user += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-:%d", host, guest)
	}
	args := []string{"-netdev", user, "-device", "virtio-net-pci,netdev=control,mac=52:54:00:00:00:01,romfile="}
	if m.options.Storage != nil {
		args = append(args, "-netdev", "dgram,id=storage,local.type=fd,local.str=3",
			"-device", "virtio-net-pci,netdev=storage,mac="+m.options.Storage.mac.String()+",romfile=")
	}
	return args
}
