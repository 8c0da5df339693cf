package main

import (
	"errors"
	"net"
	"syscall"

	"clinker/internal/fault"
)

// explainListen says what is wrong with an address and how to mend it.
func explainListen(address string, err error) error {
	_, port, _ := net.SplitHostPort(address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault.New(fault.Conflict, "port %s is in use by another program: end it (ss -ltnp 'sport = :%s' shows it) or choose another port", port, port)
	case errors.Is(err, syscall.EACCES):
		return fault.New(fault.Forbidden, "port %s may be opened by root only: choose one above 1023", port)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fault.New(fault.Invalid, "%s is not an address of this machine", address)
	}
	return err
}
