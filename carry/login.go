package carry

import (
	"context"
	"errors"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// Initiator opens and closes sessions with iSCSI targets. Every method may be
// repeated; after a timeout the outcome is unknown and the call is to be repeated.
type Initiator interface {
	// Login makes a session with exactly this target at exactly this portal.
	// No error when there is one already. Unauthorized when the target
	// refuses the username, the password or this initiator.
	Login(ctx context.Context, c Connection) error

	// Logout ends the session and forgets the target and its credentials.
	// No error when there is neither.
	Logout(ctx context.Context, iqn, portal string) error

	// Rescan makes the kernel read the size of the session's devices again.
	// NotFound when there is no session.
	Rescan(ctx context.Context, iqn, portal string) error
}

// Exit statuses of iscsiadm(8).
const (
	iscsiSessionExists = 15
	iscsiNoDaemon      = 20
	iscsiNothingFound  = 21
	iscsiLoginRefused  = 24
)

// iscsiadm is open-iscsi's command line.
type iscsiadm struct {
	root string
	run  func(ctx context.Context, args ...string) ([]byte, error)
}

// NewIscsiadm is the Initiator of a machine with open-iscsi; root is "/".
func NewIscsiadm(root string) Initiator { return &iscsiadm{root: root, run: run.Output} }

// Login: see Initiator. The credentials never are arguments: see writeRecord.
func (i *iscsiadm) Login(ctx context.Context, c Connection) error {
	if err := i.node(ctx, c.IQN, c.Portal, "-o", "new", "-I", "default"); err != nil {
		return err
	}
	if err := writeRecord(i.root, c); err != nil {
		return err
	}
	err := i.node(ctx, c.IQN, c.Portal, "--login")
	if exitStatus(err) == iscsiSessionExists {
		return nil
	}
	return err
}

// Logout: see Initiator.
func (i *iscsiadm) Logout(ctx context.Context, iqn, portal string) error {
	if err := i.node(ctx, iqn, portal, "--logout"); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err := dropPrepared(i.root, iqn, portal); err != nil {
		return err
	}
	if err := i.node(ctx, iqn, portal, "-o", "delete"); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

// Rescan: see Initiator.
func (i *iscsiadm) Rescan(ctx context.Context, iqn, portal string) error {
	return i.node(ctx, iqn, portal, "-R")
}

// node runs iscsiadm on one record.
func (i *iscsiadm) node(ctx context.Context, iqn, portal string, operation ...string) error {
	args := append([]string{"iscsiadm", "-m", "node", "-T", iqn, "-p", portal}, operation...)
	_, err := i.run(ctx, args...)
	switch exitStatus(err) {
	case iscsiNoDaemon:
		return fault.Wrap(err, fault.Unavailable, "iscsid does not run: start it (systemctl start iscsid)")
	case iscsiNothingFound:
		return fault.Wrap(err, fault.NotFound, "open-iscsi knows no session or record of %s", iqn)
	case iscsiLoginRefused:
		return fault.Wrap(err, fault.Unauthorized, "the target %s refused this machine's login", iqn)
	}
	return err
}

// exitStatus is 0 for anything but a program's own refusal.
func exitStatus(err error) int {
	var exit *run.ExitError
	if errors.As(err, &exit) {
		return exit.Status
	}
	return 0
}
