package tgt

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
)

// TestEncode compares a request with the bytes that tgtadm 1.0.85 sends for
// tgtadm --lld iscsi --op new --mode account --user a --password b (here on a
// machine with the low byte first).
func TestEncode(t *testing.T) {
	b := request{mode: modeAccount, op: opNew, target: -1, params: "user=a,password=b"}.encode()
	if len(b) != headerBytes+18 || b[len(b)-1] != 0 {
		t.Fatalf("%d bytes: %s", len(b), hex.EncodeToString(b))
	}
	if got := strings.TrimRight(string(b[8:72]), "\x00"); got != "iscsi" {
		t.Errorf("driver %q", got)
	}
	if got := string(b[headerBytes : len(b)-1]); got != "user=a,password=b" {
		t.Errorf("parameters %q", got)
	}
}

func TestRequestHidesPassword(t *testing.T) {
	r := request{mode: modeAccount, op: opNew, params: "user=a,password=geheim"}
	if strings.Contains(r.String(), "geheim") {
		t.Error(r.String())
	}
}

// answering gives a control whose daemon answers everything with those bytes.
func answering(t *testing.T, answer []byte) control {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.0")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadFull(c, make([]byte, headerBytes))
			if answer != nil {
				c.Write(answer)
				c.Close()
			}
		}
	}()
	return control{path}
}

func TestCall(t *testing.T) {
	show := request{mode: modeTarget, op: opShow}
	cases := map[string]struct {
		answer []byte
		text   string
		no     refusal
		code   fault.Code
	}{
		"text":      {[]byte{0, 0, 0, 0, 11, 0, 0, 0, 'h', 'i', 0}, "hi", 0, ""},
		"no text":   {[]byte{0, 0, 0, 0, 8, 0, 0, 0}, "", 0, ""},
		"refusal":   {[]byte{4, 0, 0, 0, 8, 0, 0, 0}, "", noTarget, fault.Internal},
		"cut off":   {[]byte{0, 0, 0, 0, 11, 0, 0, 0, 'h'}, "", 0, fault.Unavailable},
		"too short": {[]byte{0, 0, 0, 0, 1, 0, 0, 0}, "", 0, fault.Unavailable},
		"too long":  {[]byte{0, 0, 0, 0, 1, 0, 0, 255}, "", 0, fault.Unavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := answering(t, c.answer).call(t.Context(), show)
			if text != c.text || fault.CodeOf(err) != c.code || c.no != 0 && !errors.Is(err, c.no) {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		if _, err := (control{"/nonexistent/s"}).call(t.Context(), show); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	})
	t.Run("silence", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1)
		defer cancel()
		if _, err := answering(t, nil).call(ctx, show); !fault.Is(err, fault.Timeout) {
			t.Error(err)
		}
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		control control
		code    fault.Code
	}{
		"a daemon": {answering(t, []byte{0, 0, 0, 0, 8, 0, 0, 0}), ""},
		"nobody":   {control{"/nonexistent/s"}, fault.Unavailable},
	} {
		if err := (&Target{control: c.control}).Answers(t.Context()); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 8, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < answerBytes {
			return
		}
		if _, size, err := decodeAnswer([answerBytes]byte(b)); err == nil && (size < 0 || size > maxAnswer) {
			t.Errorf("a text of %d bytes", size)
		}
	})
}
