package machine

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"clinker/testbed/image"
	"clinker/testbed/wire"
)

// Machine is one virtual machine. Its methods may be called from several
// goroutines, except for those that turn it on and off.
type Machine struct {
	options Options
	dir     string
	ownDir  bool
	image   image.Image
	token   string
	ports   map[int]int // guest's port to the host's
	console *console

	mu   sync.Mutex
	qemu *process // nil before the first boot
}

// New builds the image if need be and makes the machine with its empty disks.
// It is off: Boot turns it on. The caller must Close it.
func New(ctx context.Context, options Options) (*Machine, error) {
	img, err := image.Build(ctx)
	if err != nil {
		return nil, err
	}
	m := &Machine{options: options.withDefaults(), image: img, token: rand.Text(), dir: options.Dir}
	if m.dir == "" {
		m.ownDir = true
		if m.dir, err = os.MkdirTemp("", "clinker-guest-"); err != nil {
			return nil, err
		}
	}
	if err := m.furnish(); err != nil {
		return nil, fmt.Errorf("guest %s: %w", m.options.Name, err)
	}
	return m, nil
}

// furnish makes the machine's files. The token goes in by file, since arguments
// can be read by every user of this computer.
func (m *Machine) furnish() error {
	for _, disk := range m.options.Disks {
		if err := makeSparse(m.diskPath(disk), int64(disk.SizeGiB)<<30); err != nil {
			return err
		}
	}
	if err := os.WriteFile(m.tokenPath(), []byte(m.token), 0o600); err != nil {
		return err
	}
	var err error
	m.console, err = newConsole(filepath.Join(m.dir, "console.log"))
	return err
}

// makeSparse makes an empty file; one that is there keeps what it holds, so that
// a program can bring up a machine that an earlier run left in Options.Dir.
func makeSparse(path string, bytes int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(bytes)
}

func (m *Machine) diskPath(d Disk) string { return filepath.Join(m.dir, d.Serial+".raw") }
func (m *Machine) tokenPath() string      { return filepath.Join(m.dir, "token") }

// Name returns the machine's host name.
func (m *Machine) Name() string { return m.options.Name }

// Dir returns the folder with the machine's disks and console.log.
func (m *Machine) Dir() string { return m.dir }

// Console returns what the console has shown since the machine was made, over
// all boots.
func (m *Machine) Console() string { return m.console.text() }

// Address returns where on the host a forwarded port of the guest is reached,
// as "127.0.0.1:port"; it stays the same over reboots. It panics for a port
// that is not in Options.Forward.
func (m *Machine) Address(guestPort int) string {
	port, ok := m.ports[guestPort]
	if !ok {
		panic(fmt.Sprintf("guest %s: port %d is not forwarded", m.options.Name, guestPort))
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// Access returns what another process needs to reach the agent: Attach.
func (m *Machine) Access() Access {
	return Access{Address: m.Address(wire.Port), Token: m.token}
}
