package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

func getFile(w http.ResponseWriter, r *http.Request) {
	f, err := os.Open(r.FormValue("path"))
	if err != nil {
		refuse(w, err)
		return
	}
	defer f.Close()
	_, _ = io.Copy(w, f)
}

// putFile writes the request's body to a file, and makes the folders above it.
// An old file is removed first: a running program's own file cannot be written.
func putFile(w http.ResponseWriter, r *http.Request) {
	if err := store(r.URL.Query().Get("path"), r.URL.Query().Get("mode"), r.Body); err != nil {
		refuse(w, err)
	}
}

func store(path, mode string, content io.Reader) error {
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, os.FileMode(bits))
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
