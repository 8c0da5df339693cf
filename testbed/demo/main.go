package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	binary := flag.String("clinker", "build/clinker", "the program to show; make build makes it")
	keep := flag.Bool("keep", false, "leave the data directory, with the logs, when the demo has ended")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t := newTeller(os.Stdout)
	err := demo(ctx, t, *binary, *keep)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		t.fail(errors.New("interrupted; everything was cleaned up"))
	case err != nil:
		t.fail(err)
	default:
		t.end("All of it was as it should be.")
		return
	}
	os.Exit(1)
}

// demo runs the story in a directory of its own, and removes what is left of it.
func demo(ctx context.Context, t *teller, binary string, keep bool) (err error) {
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w: run make build first", err)
	}
	dir, err := os.MkdirTemp("", "clinker-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if keep {
			t.say("kept: %s", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		return err
	}
	s := &story{teller: t, binary: binary, dir: dir}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.tell(ctx)
}
