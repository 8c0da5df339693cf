package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"clinker/testbed/ports"
	"clinker/testbed/wire"
)

const (
	// bootTimeout allows for a computer that is busy with much else: 3 seconds
	// are usual.
	bootTimeout = 2 * time.Minute
	stopTimeout = 20 * time.Second
)

// Boot turns the machine on and returns when its agent answers. When ctx ends
// later on, the machine loses its power. An error leaves it off.
func (m *Machine) Boot(ctx context.Context) error {
	if m.running() {
		return fmt.Errorf("guest %s is running already", m.options.Name)
	}
	fixed := m.ports != nil
	for attempt := 1; ; attempt++ {
		if !fixed {
			first, err := ports.Take(len(m.options.Forward))
			if err != nil {
				return err
			}
			m.ports = make(map[int]int)
			for i, guest := range m.options.Forward {
				m.ports[guest] = first + i
			}
		}
		err := m.boot(ctx)
		// Someone else may take a port between our look and QEMU's.
		if err != nil && !fixed && attempt < 3 && strings.Contains(err.Error(), "host forwarding rule") {
			continue
		}
		if err != nil {
			return fmt.Errorf("guest %s: %w", m.options.Name, err)
		}
		return nil
	}
}

func (m *Machine) boot(ctx context.Context) error {
	mark := m.console.mark()
	qemu, err := m.launch(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.qemu = qemu
	m.mu.Unlock()
	if m.options.Storage != nil {
		m.options.Storage.plugIn(true)
	}
	if m.options.Terminal {
		return nil // what is typed there may end the machine at any time
	}
	wait, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	if err := m.console.await(wait, mark, wire.Ready, qemu.ended); err != nil {
		return errors.Join(fmt.Errorf("%w; its console:\n%s", err, tail(m.console.since(mark), 3000)), m.PowerCut())
	}
	if err := m.PutFiles(wait, m.options.Files); err != nil {
		return errors.Join(err, m.PowerCut())
	}
	return nil
}

// PowerCut ends the machine as when its plug is pulled: nothing in the guest is
// told. Disks stay. It is no error if the machine is off.
func (m *Machine) PowerCut() error {
	qemu := m.current()
	if qemu == nil {
		return nil
	}
	qemu.kill()
	<-qemu.ended
	if m.options.Storage != nil {
		m.options.Storage.plugIn(false)
	}
	return nil
}

// Stop writes the guest's caches to its disks and turns it off, by a power cut
// if it does not go within 20 seconds. It is no error if the machine is off.
func (m *Machine) Stop(ctx context.Context) error {
	if !m.running() {
		return m.PowerCut()
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	// The answer may get lost: the agent goes down with its machine.
	_, _ = m.Exec(ctx, "sh", "-c", "sync; poweroff -f")
	select {
	case <-m.current().ended:
	case <-ctx.Done():
	}
	return m.PowerCut()
}

// Close ends the machine and removes its folder unless that was given. It may
// be called more than once.
func (m *Machine) Close() error {
	err := errors.Join(m.PowerCut(), m.console.close())
	if m.ownDir {
		err = errors.Join(err, os.RemoveAll(m.dir))
	}
	return err
}

// Ended is closed when the machine of the latest Boot is off. There must have
// been one.
func (m *Machine) Ended() <-chan struct{} { return m.current().ended }

func (m *Machine) current() *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.qemu
}

func (m *Machine) running() bool {
	qemu := m.current()
	if qemu == nil {
		return false
	}
	select {
	case <-qemu.ended:
		return false
	default:
		return true
	}
}
