// Command shell gives a person a shell in a testbed guest.
//
//	go run ./testbed/shell               boots a guest on this terminal
//	go run ./testbed/shell -at ADDRESS   runs each line in a guest that a failed
//	                                     test keeps; TESTBED_TOKEN is its token
//
// Type "poweroff -f" to end the guest.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"clinker/testbed/machine"
)

func main() {
	at := flag.String("at", "", "address of a kept guest's agent, as 127.0.0.1:port")
	memory := flag.Int("memory", 512, "memory of a new guest, in MiB")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := visit(ctx, *at, *memory)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed shell:", err)
		os.Exit(1)
	}
}

func visit(ctx context.Context, at string, memoryMiB int) error {
	if at != "" {
		return attach(ctx, machine.Access{Address: at, Token: os.Getenv("TESTBED_TOKEN")})
	}
	m, err := machine.New(ctx, machine.Options{
		Name: "shell", MemoryMiB: memoryMiB, Terminal: true, Lifetime: 12 * time.Hour,
	})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Boot(ctx); err != nil {
		return err
	}
	<-m.Ended()
	return nil
}

// attach runs line after line, each in a shell of its own.
func attach(ctx context.Context, access machine.Access) error {
	lines := bufio.NewScanner(os.Stdin)
	for fmt.Print("guest# "); lines.Scan(); fmt.Print("guest# ") {
		command := machine.Command{Args: []string{"bash", "-c", lines.Text()}}
		status, err := access.Stream(ctx, command, os.Stdout, os.Stderr)
		if err != nil {
			return err
		}
		if status != 0 {
			fmt.Println("exit status", status)
		}
	}
	fmt.Println()
	return lines.Err()
}
