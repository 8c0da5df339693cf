package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"clinker/testbed/machine"
)

// hostInGuest is this machine's 127.0.0.1 as a guest reaches it.
const hostInGuest = "10.0.2.2"

// nodePort is where volumed listens in the guest.
const nodePort = 9776

// guest is a cloud whose storage node is a virtual machine with LVM and LIO.
type guest struct {
	cloud   *cloud
	machine *machine.Machine
	node    *machine.Process
}

// startGuest brings both up; the guest's volume group has that many GiB. What it
// gives must be stopped, whatever the error.
func startGuest(ctx context.Context, dir, binary string, sizeGiB int) (*guest, error) {
	g := &guest{}
	var err error
	if g.cloud, err = startControl(ctx, dir, binary, "127.0.0.1", hostInGuest); err != nil {
		return g, err
	}
	g.machine, err = machine.New(ctx, machine.Options{
		Name: "node", MemoryMiB: 768, Forward: []int{nodePort},
		Disks: []machine.Disk{{Serial: "data", SizeGiB: sizeGiB}},
		Files: g.files(),
	})
	if err != nil {
		return g, err
	}
	if err := g.machine.Boot(ctx); err != nil {
		return g, err
	}
	for _, prepare := range []func(context.Context) error{g.machine.MakeVG, g.machine.LoadTarget, g.startNode} {
		if err := prepare(ctx); err != nil {
			return g, err
		}
	}
	return g, g.cloud.awaitPool(ctx)
}

// files are what the node needs: the program and its certificate.
func (g *guest) files() map[string]string {
	files := map[string]string{"/usr/bin/clinker": g.cloud.binary}
	for _, name := range []string{"ca.crt", "volumed.crt", "volumed.key"} {
		files["/etc/clinker/"+name] = filepath.Join(g.cloud.pki(), name)
	}
	return files
}

func (g *guest) startNode(ctx context.Context) error {
	conf := fmt.Sprintf(`[DEFAULT]
my_ip = 10.0.2.15
host = node
state_path = /var/lib/clinker
enabled_backends = lvm
[lvm]
volume_driver = lvm
volume_group = vg0
lvm_type = default
target_helper = lio
[clinker]
volumed_listen = 0.0.0.0
volumed_port = %d
volumed_endpoint = https://%s
scheduler_endpoints = https://%s:%d
%s`, nodePort, g.machine.Address(nodePort), hostInGuest, g.cloud.schedulerPort, certificates("/etc/clinker"))
	if err := g.machine.Put(ctx, "/etc/clinker/clinker.conf", 0o600, strings.NewReader(conf)); err != nil {
		return err
	}
	var err error
	g.node, err = g.machine.Start(ctx, machine.Command{Args: []string{"clinker", "--config", "/etc/clinker/clinker.conf", "volumed"}})
	return err
}

// log is the end of what the node said.
func (g *guest) log(ctx context.Context) string {
	said, err := g.node.Log(ctx)
	if err != nil {
		return err.Error()
	}
	return string(said[max(0, len(said)-2000):])
}

func (g *guest) stop() {
	if g.machine != nil {
		_ = g.machine.Close()
	}
	if g.cloud != nil {
		g.cloud.stop()
	}
}
