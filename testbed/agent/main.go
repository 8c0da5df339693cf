// Command agent runs in the testbed's guest and does there what the host asks:
// run a program, start one in the background, store and fetch a file.
//
// It is as powerful as root and therefore answers nobody without the token that
// the host gave this guest through QEMU's fw_cfg. It is for throw-away virtual
// machines only and refuses to start anywhere else.
package main

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"clinker/testbed/wire"
)

// tokenFile is where the kernel shows the fw_cfg item of the host.
const tokenFile = "/sys/firmware/qemu_fw_cfg/by_name/opt/clinker/token/raw"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "tb: agent:", err)
		os.Exit(1)
	}
}

func serve() error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return fmt.Errorf("not in a testbed guest: %w", err)
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	a := &agent{processes: make(map[int]*process)}
	server := &http.Server{
		Handler:           authenticated(strings.TrimSpace(string(token)), a.routes()),
		ReadHeaderTimeout: 10 * time.Second,
	}
	fmt.Println(wire.Ready)
	return server.Serve(listener)
}

func (a *agent) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /exec", a.exec)
	mux.HandleFunc("POST /start", a.start)
	mux.HandleFunc("GET /wait", a.wait)
	mux.HandleFunc("POST /signal", a.signal)
	mux.HandleFunc("GET /file", getFile)
	mux.HandleFunc("PUT /file", putFile)
	return mux
}

func authenticated(token string, next http.Handler) http.Handler {
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := []byte(r.Header.Get("Authorization"))
		if token == "" || subtle.ConstantTimeCompare(got, want) != 1 {
			http.Error(w, "wrong token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusBadRequest)
}
