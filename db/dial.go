package db

import (
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

const (
	// connectLimit is for each address of the database's, unless connect_timeout in
	// [database] connection says something else.
	connectLimit = 5 * time.Second
	// deadAfter is how long a machine may be silent whose kernel should answer. How
	// long a statement takes has nothing to do with it.
	deadAfter = 15 * time.Second
)

// noticeDeath has connections to a machine that lost its power, or its network, end
// soon. TCP alone waits a quarter of an hour for what was sent, and two minutes for
// what is connected; until then nobody asks the standby.
func noticeDeath(config *pgx.ConnConfig) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	dialer := &net.Dialer{Control: giveUp, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: deadAfter / 3, Interval: deadAfter / 3, Count: 2}}
	config.DialFunc = dialer.DialContext
}

// giveUp bounds how long the kernel repeats what nobody acknowledges.
func giveUp(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var set error
	err := conn.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(deadAfter.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return set
}
