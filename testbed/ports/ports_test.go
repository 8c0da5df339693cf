package ports

import (
	"fmt"
	"net"
	"testing"
)

func TestTake(t *testing.T) {
	t.Parallel()
	given := map[int]bool{}
	for range 50 {
		port, err := Take(8)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			if given[port+i] || port < first || port+i >= end {
				t.Errorf("port %d was given before, or is out of range", port+i)
			}
			given[port+i] = true
		}
	}
}

func TestTakenByAnother(t *testing.T) {
	t.Parallel()
	port, err := Take(1)
	if err != nil {
		t.Fatal(err)
	}
	if mark, err := take(port); err == nil { // as another process would
		t.Errorf("port %d is taken twice: %v", port, mark.Close())
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatalf("the port is not left to its server: %v", err)
	}
	defer listener.Close()
}

func TestListenedOn(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := take(listener.Addr().(*net.TCPAddr).Port); err == nil {
		t.Error("a port was given on which somebody listens")
	}
}
