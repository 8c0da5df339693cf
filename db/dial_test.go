package db

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// TestDeadMachinesAreNoticed: the kernel is told to give a silent machine up, and so
// is whoever connects.
func TestDeadMachinesAreNoticed(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // answers nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	config, err := pgx.ParseConfig("postgresql://" + listener.Addr().String() + "/clinker")
	if err != nil {
		t.Fatal(err)
	}
	noticeDeath(config)
	if config.ConnectTimeout != connectLimit {
		t.Errorf("may connect for %s", config.ConnectTimeout)
	}
	conn, err := config.DialFunc(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]struct{ option, want int }{
		"acknowledged": {unix.TCP_USER_TIMEOUT, int(deadAfter.Milliseconds())},
		"idle":         {unix.TCP_KEEPIDLE, 5}, "interval": {unix.TCP_KEEPINTVL, 5}, "probes": {unix.TCP_KEEPCNT, 2},
	} {
		_ = raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, o.option); err != nil || got != o.want {
				t.Errorf("%s: %d, %v", name, got, err)
			}
		})
	}
}

// TestConnectTimeoutIsTheOperators: what the connection string says holds.
func TestConnectTimeoutIsTheOperators(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig("postgresql://127.0.0.1/clinker?connect_timeout=2")
	if err != nil {
		t.Fatal(err)
	}
	if noticeDeath(config); config.ConnectTimeout != 2*time.Second {
		t.Errorf("%s", config.ConnectTimeout)
	}
	if conn, err := config.DialFunc(context.Background(), "unix", "/nowhere"); err == nil {
		_ = conn.Close()
		t.Error("connected to nothing")
	}
}
