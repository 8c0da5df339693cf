package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"clinker/testbed/machine"
)

// hostAddress is where a guest reaches this machine's 127.0.0.1: QEMU's user
// network puts it there.
const hostAddress = "10.0.2.2"

// guestAddress is every guest's own on that network.
const guestAddress = "10.0.2.15"

// guest is a virtual machine that uses the volume.
type guest struct {
	*teller
	*machine.Machine
	variables string // set before each command
	disk      string // /dev/sda, once logged in
}

// initiator is the name by which the machine logs in.
func initiator(name string) string { return "iqn.1993-08.org.debian:01:" + name }

// boot makes the machine, which has no disk of its own, and turns it on.
func boot(ctx context.Context, t *teller, name string) (*guest, error) {
	m, err := machine.New(ctx, machine.Options{Name: name, Disks: []machine.Disk{}, Lifetime: 5 * time.Minute})
	if err != nil {
		return nil, err
	}
	g := &guest{teller: t, Machine: m}
	t.say("QEMU without hardware's help, Debian's kernel, open-iscsi, no disk of its own")
	// The machine is ended by its Stop and Close, not by Ctrl-C half way.
	if err := m.Boot(context.WithoutCancel(ctx)); err != nil {
		return g, err
	}
	return g, m.StartInitiator(ctx, initiator(name))
}

// run shows and runs a command line in the machine, and gives what it prints.
func (g *guest) run(ctx context.Context, line string) (string, error) {
	g.command(g.Name()+"#", line)
	return g.quiet(ctx, line)
}

// quiet is run without showing.
func (g *guest) quiet(ctx context.Context, script string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	output, err := g.Script(ctx, g.variables+script)
	return strings.TrimSpace(string(output)), err
}

// all runs one command line after the other.
func (g *guest) all(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		said, err := g.run(ctx, line)
		if err != nil {
			return err
		}
		if said != "" {
			g.say("%s", said)
		}
	}
	return nil
}

// use tells the machine of an attachment. New node records take their login
// from iscsid.conf, so that the password is no command's argument.
func (g *guest) use(ctx context.Context, a attachment) error {
	portal := fromGuest(a.Connection.Portal)
	g.variables = fmt.Sprintf("TARGET=%s PORTAL=%s\n", a.Connection.IQN, portal)
	g.command(g.Name()+"#", "TARGET="+a.Connection.IQN)
	g.command(g.Name()+"#", "PORTAL="+portal)
	const settings = "node.session.auth.authmethod = CHAP\nnode.session.auth.username = %s\nnode.session.auth.password = %s\n"
	g.command(g.Name()+"#", "cat >>/etc/iscsi/iscsid.conf <<END")
	g.say(settings+"END", a.Connection.Username, "(the password)")
	input := fmt.Appendf(nil, settings, a.Connection.Username, a.Connection.Password)
	_, err := g.Output(ctx, machine.Command{Args: []string{"sh", "-c", "cat >>/etc/iscsi/iscsid.conf"}, Input: input})
	return err
}

// fromGuest is a portal of this machine as a guest reaches it.
func fromGuest(portal string) string {
	host, port, err := net.SplitHostPort(portal)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		return portal
	}
	return net.JoinHostPort(hostAddress, port)
}

// login makes the session and finds its disk.
func (g *guest) login(ctx context.Context, lun int) error {
	for _, line := range []string{"iscsiadm -m node -o new -T $TARGET -p $PORTAL", "iscsiadm -m node -T $TARGET -p $PORTAL --login"} {
		if _, err := g.run(ctx, line); err != nil {
			return err
		}
	}
	disk, err := g.quiet(ctx, fmt.Sprintf(`
		for i in $(seq 200); do
			disk=$(ls /sys/class/iscsi_session/session*/device/target*/*:%d/block 2>/dev/null || true)
			[ -z "$disk" ] || [ ! -b "/dev/$disk" ] || break
			usleep 50000
		done
		echo "/dev/$disk"`, lun))
	if err != nil || disk == "/dev/" {
		return fmt.Errorf("logged in, but no disk appeared (%w)", err)
	}
	g.disk = disk
	return nil
}

// number runs a command that prints one.
func (g *guest) number(ctx context.Context, script string) (n int64, err error) {
	said, err := g.quiet(ctx, script)
	if err == nil {
		_, err = fmt.Sscan(said, &n)
	}
	return n, err
}
