package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
)

const gib = int64(1) << 30

// story is the demo as far as it has come.
type story struct {
	*teller
	binary, dir string

	dev    *dev
	client *client
	guests []*guest
	first  attachment
	sum    string // of the first machine's file
	small  int64  // size of its file system, in KiB
}

// tell tells the story.
func (s *story) tell(ctx context.Context) error {
	s.title("The founding story: a volume outlives the virtual machine that wrote to it, grows, and serves another.")
	s.say("Lines with $ run on this machine, lines with NAME# in the virtual machine of that name.")
	for _, chapter := range []func(context.Context) error{
		s.startClinker, s.create, s.firstMachine, s.firstWrites, s.firstGoes, s.grow, s.secondMachine, s.secondReads, s.clean,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) startClinker(ctx context.Context) error {
	s.step("Clinker starts: database, identity, scheduler, storage node, API in one process")
	d, args, err := prepareDev(s.binary, s.dir)
	if err != nil {
		return err
	}
	s.dev = d
	s.command("$", s.binary+" "+strings.Join(args, " ")+" &")
	if err := d.start(ctx); err != nil {
		return err
	}
	s.client = &client{teller: s.teller}
	if err := s.client.source(ctx, filepath.Join(d.data, "demo-openrc")); err != nil {
		return err
	}
	s.check("it runs, and \"demo\" is a user without special rights")
	return nil
}

func (s *story) create(ctx context.Context) error {
	s.step("The user asks for a volume of 1 GiB")
	var v volume
	if err := s.client.run(ctx, &v, "volume", "create", "--size", "1", "story"); err != nil {
		return err
	}
	v, err := s.client.await(ctx, "story", "available")
	if err != nil {
		return err
	}
	s.check("volume %s is %s, %d GiB", v.ID, v.Status, v.Size)
	return nil
}

// machine boots a machine and asks for an attachment for it.
func (s *story) machine(ctx context.Context, name string) (*guest, attachment, error) {
	var a attachment
	g, err := boot(ctx, s.teller, name)
	if g != nil {
		s.guests = append(s.guests, g)
	}
	if err != nil {
		return nil, a, err
	}
	s.check("it is up; its initiator name is %s", initiator(name))
	s.step("The volume is attached to machine %q, which gets a username and a password of its own", name)
	s.say("The last argument is the server's id; where there is no Nova, any UUID will do.")
	err = s.client.run(ctx, &a, "volume", "attachment", "create", "--connect",
		"--initiator", initiator(name), "--host", name, "--ip", guestAddress, "story", uuid.NewString())
	if err != nil {
		return nil, a, err
	}
	c := a.Connection
	if c.Method != "CHAP" || c.Username == "" || c.Password == "" {
		return nil, a, fmt.Errorf("the attachment has no CHAP username and password: auth_method is %q", c.Method)
	}
	s.say("target    %s, LUN %d\nportal    %s%s\nusername  %s\npassword  %d characters, not shown here",
		c.IQN, c.LUN, c.Portal, reachedAt(c.Portal), c.Username, len(c.Password))
	if s.first.ID != "" && (c.Password == s.first.Connection.Password || c.Username == s.first.Connection.Username) {
		return nil, a, errors.New("the second attachment has the first one's username or password")
	}
	return g, a, nil
}

// reachedAt says that a portal has another address in the guest.
func reachedAt(portal string) string {
	if there := fromGuest(portal); there != portal {
		return " (this machine's loopback; the virtual machine reaches it as " + there + ")"
	}
	return ""
}

func (s *story) firstMachine(ctx context.Context) error {
	s.step("A virtual machine, \"first\", boots")
	g, a, err := s.machine(ctx, "first")
	if err != nil {
		return err
	}
	s.first = a
	if err := g.use(ctx, a); err != nil {
		return err
	}
	if err := g.login(ctx, a.Connection.LUN); err != nil {
		return err
	}
	if err := s.size(ctx, g, 1); err != nil {
		return err
	}
	return s.client.run(ctx, nil, "volume", "attachment", "complete", a.ID)
}

// size compares the disk in the machine with what it should be.
func (s *story) size(ctx context.Context, g *guest, wantGiB int64) error {
	bytes, err := g.number(ctx, "blockdev --getsize64 "+g.disk)
	if err != nil {
		return err
	}
	if bytes != wantGiB*gib {
		return fmt.Errorf("%s has %d bytes in machine %s, not %d GiB", g.disk, bytes, g.Name(), wantGiB)
	}
	s.check("it is logged in; the volume is its disk %s, %d GiB", g.disk, wantGiB)
	return nil
}
