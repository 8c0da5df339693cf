package main

import (
	"context"
	"errors"
	"fmt"

	"clinker/internal/run"
)

// loginRefused is iscsiadm's exit status for it (ISCSI_ERR_LOGIN_AUTH_FAILED).
const loginRefused = 24

// kibibytes prints a mounted file system's size in KiB.
const kibibytes = "df -k /mnt | tail -n 1 | awk '{print $2}'"

func (s *story) firstWrites(ctx context.Context) error {
	s.step("It makes a file system and writes")
	g := s.guests[0]
	err := g.all(ctx, "mkfs.ext4 -q "+g.disk, "mount "+g.disk+" /mnt",
		"echo 'written by the first machine' >/mnt/note", "dd if=/dev/urandom of=/mnt/data bs=1M count=16 status=none")
	if err != nil {
		return err
	}
	if s.sum, err = g.run(ctx, "cat /mnt/note /mnt/data | sha256sum"); err != nil {
		return err
	}
	s.say("%s", s.sum)
	s.small, err = g.number(ctx, kibibytes)
	return err
}

func (s *story) firstGoes(ctx context.Context) error {
	s.step("Its work is done: it is powered off, and the volume is taken from it")
	g := s.guests[0]
	g.command("first#", "umount /mnt; poweroff -f")
	if _, err := g.quiet(ctx, "umount /mnt"); err != nil {
		return err
	}
	if err := g.Stop(ctx); err != nil {
		return err
	}
	if err := s.client.run(ctx, nil, "volume", "attachment", "delete", s.first.ID); err != nil {
		return err
	}
	_, err := s.client.await(ctx, "story", "available")
	if err == nil {
		s.check("the machine is gone, the volume is available")
	}
	return err
}

func (s *story) grow(ctx context.Context) error {
	s.step("The volume grows to 2 GiB")
	if err := s.client.run(ctx, nil, "volume", "set", "--size", "2", "story"); err != nil {
		return err
	}
	v, err := s.client.await(ctx, "story", "available")
	if err != nil {
		return err
	}
	if v.Size != 2 {
		return fmt.Errorf("the volume's size is %d GiB after growing to 2", v.Size)
	}
	s.check("volume %s has %d GiB", v.ID, v.Size)
	return nil
}

func (s *story) secondMachine(ctx context.Context) error {
	s.step("Another virtual machine, \"second\", boots")
	g, a, err := s.machine(ctx, "second")
	if err != nil {
		return err
	}
	if err := s.refused(ctx, g); err != nil {
		return err
	}
	if err := g.use(ctx, a); err != nil {
		return err
	}
	if err := g.login(ctx, a.Connection.LUN); err != nil {
		return err
	}
	if err := s.size(ctx, g, 2); err != nil {
		return err
	}
	return s.client.run(ctx, nil, "volume", "attachment", "complete", a.ID)
}

// refused shows that the first machine's password is worth nothing any more.
func (s *story) refused(ctx context.Context, g *guest) error {
	s.say("Somebody kept the first machine's password, and tries it:")
	if err := g.use(ctx, s.first); err != nil {
		return err
	}
	err := g.login(ctx, s.first.Connection.LUN)
	if err == nil {
		return errors.New("the target let a machine in with the password of an attachment that was deleted")
	}
	var exit *run.ExitError
	if !errors.As(err, &exit) || exit.Status != loginRefused {
		return err
	}
	s.check("the target refuses it; now with its own:")
	_, err = g.quiet(ctx, "iscsiadm -m node -T $TARGET -p $PORTAL -o delete")
	return err
}

func (s *story) secondReads(ctx context.Context) error {
	s.step("It finds what the first machine wrote, and room for more")
	g := s.guests[1]
	if err := g.all(ctx, "mount "+g.disk+" /mnt", "cat /mnt/note"); err != nil {
		return err
	}
	sum, err := g.run(ctx, "cat /mnt/note /mnt/data | sha256sum")
	if err != nil {
		return err
	}
	if sum != s.sum {
		return fmt.Errorf("the checksum is %s, and was %s when it was written", sum, s.sum)
	}
	s.say("%s", sum)
	s.check("the checksum is the same")
	if _, err := g.run(ctx, "resize2fs "+g.disk); err != nil {
		return err
	}
	large, err := g.number(ctx, kibibytes)
	if err != nil {
		return err
	}
	if large < s.small+1<<20*9/10 { // 1 GiB more, less what ext4 needs for itself
		return fmt.Errorf("the file system has %d KiB after growing, and had %d before", large, s.small)
	}
	if again, err := g.quiet(ctx, "cat /mnt/note /mnt/data | sha256sum"); err != nil || again != s.sum {
		return fmt.Errorf("after growing the file system the checksum is %s, not %s (%w)", again, s.sum, err)
	}
	s.check("the file system grew from %d MiB to %d MiB, and the data is still the same", s.small>>10, large>>10)
	return nil
}

// clean ends all in good order; close would do it too, but without showing.
func (s *story) clean(ctx context.Context) error {
	s.step("The end: everything goes")
	g := s.guests[1]
	g.command("second#", "umount /mnt; poweroff -f")
	if _, err := g.quiet(ctx, "umount /mnt"); err != nil {
		return err
	}
	if err := g.Stop(ctx); err != nil {
		return err
	}
	var left []struct{ ID string }
	if err := s.client.run(ctx, &left, "volume", "attachment", "list"); err != nil {
		return err
	}
	for _, a := range left {
		if err := s.client.run(ctx, nil, "volume", "attachment", "delete", a.ID); err != nil {
			return err
		}
	}
	if err := s.client.run(ctx, nil, "volume", "delete", "story"); err != nil {
		return err
	}
	s.command("$", "kill -INT %1   # clinker dev")
	return s.dev.stop()
}

// close ends what is still there, whatever happened before. It may be repeated.
func (s *story) close() error {
	var all []error
	for _, g := range s.guests {
		all = append(all, g.Close())
	}
	return errors.Join(append(all, s.dev.stop())...)
}
